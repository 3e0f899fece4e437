import { Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { Problem } from '../api/problem.ts';
import styles from './told.module.css';

/** What stands where nothing is: what this is, one sentence, one action. */
export function Empty({
  title,
  isPage = false,
  children,
  action,
}: {
  readonly title: string;
  /** It is all of the page, and its title the page's heading. */
  readonly isPage?: boolean;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className={styles['told']}>
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p>{children}</p>
      {action !== undefined && <div>{action}</div>}
    </div>
  );
}

/** What went wrong, what to do, and the code to ask for. */
export function ProblemBox({
  error,
  details: shown,
  children,
}: {
  readonly error: unknown;
  /** What of its details is said here; without it, all. */
  readonly details?: Problem['details'] | undefined;
  /** In place of what is wrong where, when the page has more to say of it. */
  readonly children?: ReactNode;
}) {
  const { message, details: all, code, transaction } = Problem.of(error);
  const details = shown ?? all;
  return (
    <div className={styles['problem']} role="alert">
      <strong>{message}</strong>
      {children ??
        (details.length > 0 && (
          <ul>
            {details.map(({ location, message: words }) => (
              <li key={`${location} ${words}`}>
                <span className="mono">{location}</span> {words}
              </li>
            ))}
          </ul>
        ))}
      <small className="mono">
        {code}
        {transaction !== undefined && ` · ${transaction}`}
      </small>
    </div>
  );
}

/** What went wrong at no field of a form, whose fields say the rest. */
export const Unplaced = ({ error }: { readonly error: Error | null }) =>
  error !== null && Problem.of(error).details.length === 0 ? <ProblemBox error={error} /> : null;

/** What somebody has to know before reading on, e.g. that it is theirs to read and not to change. */
export function Note({ children }: { readonly children: ReactNode }) {
  return (
    <div className={styles['note']} role="note">
      <Lock size={14} aria-hidden />
      <p>{children}</p>
    </div>
  );
}
