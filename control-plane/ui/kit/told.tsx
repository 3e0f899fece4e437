import { useQueryClient } from '@tanstack/react-query';
import { Lock, RotateCw } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Problem } from '../api/problem.ts';
import { Button } from './button.tsx';
import { now } from './now.ts';
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
  onRetry,
}: {
  readonly error: unknown;
  /** What of its details is said here; without it, all. */
  readonly details?: Problem['details'] | undefined;
  /** In place of what is wrong where, when the page has more to say of it. */
  readonly children?: ReactNode;
  /** Asks again; without it, what the page itself has asked for is asked again, all that failed together. */
  readonly onRetry?: () => void;
}) {
  const problem = Problem.of(error);
  const { message, details: all, code, transaction } = problem;
  const retryAsked = useRetry(error);
  const retry = onRetry ?? retryAsked;
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
      {retry !== undefined && problem.isPassing && <Retry atMs={problem.retryAtMs} onRetry={retry} />}
    </div>
  );
}

/** Asks again for all that failed on the page, where the error is of something that it asked for; what somebody sent is sent again by its own button. */
function useRetry(error: unknown): (() => void) | undefined {
  const queries = useQueryClient();
  const isAsked = queries
    .getQueryCache()
    .findAll({ type: 'active' })
    .some(({ state }) => state.error === error);
  if (!isAsked) return undefined;
  return () =>
    void queries.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' });
}

const tickMs = 250;

/** Not before whoever refused it has said that it makes sense. */
function Retry({ atMs, onRetry }: { readonly atMs: number; readonly onRetry: () => void }) {
  const [time, setTime] = useState(now);
  const seconds = Math.max(0, Math.ceil((atMs - time) / 1_000));
  useEffect(() => {
    if (seconds === 0) return undefined;
    const timer = setInterval(() => setTime(now), tickMs);
    return () => clearInterval(timer);
  }, [seconds]);
  return (
    <div className={styles['retry']}>
      <Button size="small" disabled={seconds > 0} onClick={onRetry}>
        <RotateCw size={14} aria-hidden />
        {seconds > 0 ? `Retry in ${seconds} s` : 'Retry'}
      </Button>
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
