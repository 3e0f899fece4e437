import type { ReactNode } from 'react';
import { count, worded } from './numbers.ts';
import styles from './status.module.css';

/** What a state means; told by shape and word as well as by colour. */
export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';

const shapes: Readonly<Record<Tone, ReactNode>> = {
  ok: <circle cx="5" cy="5" r="4.2" fill="currentColor" />,
  warn: (
    <>
      <circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M5 1a4 4 0 0 0 0 8z" fill="currentColor" />
    </>
  ),
  bad: <path d="M5 .9 9.6 9.1H.4z" fill="currentColor" />,
  info: <path d="M5 .3 9.7 5 5 9.7.3 5z" fill="currentColor" />,
  idle: <circle cx="5" cy="5" r="3.8" fill="none" stroke="currentColor" strokeWidth="1.5" />,
};

/** Shape, word and colour of a state; `isPill` in headers. */
export function Status({
  tone,
  isPill = false,
  children,
}: {
  readonly tone: Tone;
  readonly isPill?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <span className={styles['status']} data-tone={tone} data-pill={isPill || undefined}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {shapes[tone]}
      </svg>
      {children}
    </span>
  );
}

/** A word that is no state: a kind, a tag. */
export function Tag({ children }: { readonly children: ReactNode }) {
  return <span className={styles['tag']}>{children}</span>;
}

/** How many of how many, as a bar and in figures. */
export function Share({
  part,
  whole,
  tone,
}: {
  readonly part: number;
  readonly whole: number;
  readonly tone: Tone;
}) {
  return (
    <span className={styles['sync']} data-tone={tone}>
      <span className={styles['bar']} aria-hidden="true">
        <i style={{ width: `${whole === 0 ? 0 : (100 * part) / whole}%` }} />
      </span>
      <span className="num">
        {worded(count(part))}
        <span className="quiet">/{worded(count(whole))}</span>
      </span>
    </span>
  );
}
