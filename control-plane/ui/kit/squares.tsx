import type { ReactNode } from 'react';
import styles from './squares.module.css';

/** What a square says of one of many, by shape as well as by colour. */
export type SquareTone = 'ok' | 'go' | 'bad' | 'cut' | 'idle';

/** One of many: a gateway among those of its fleet. */
export interface Square {
  readonly id: string;
  readonly tone: SquareTone;
  /** All that is to be said of it, e.g. `ham-02: refused, ...`. */
  readonly words: string;
}

const marks: Readonly<Record<SquareTone, ReactNode>> = {
  ok: <path d="M4.5 10.5 8.5 14.5 15.5 6.5" />,
  go: null,
  bad: <path d="M6 6 14 14M14 6 6 14" />,
  cut: null,
  idle: null,
};

/** Many of a kind in a grid that fills as they come along; each can be read, none by its colour alone. */
export function Squares({ label, squares }: { readonly label: string; readonly squares: readonly Square[] }) {
  return (
    <ul className={styles['squares']} aria-label={label}>
      {squares.map(({ id, tone, words }) => (
        <li key={id} data-tone={tone} title={words}>
          <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            {marks[tone]}
          </svg>
          <span className="hidden">{words}</span>
        </li>
      ))}
    </ul>
  );
}

/** What the squares of a grid mean, each with how many there are. */
export function SquareLegend({
  entries,
}: {
  readonly entries: readonly (readonly [tone: SquareTone, word: string, count: number])[];
}) {
  return (
    <ul className={styles['legend']}>
      {entries
        .filter(([, , count]) => count > 0)
        .map(([tone, word, count]) => (
          <li key={word}>
            <i data-tone={tone} aria-hidden="true">
              <svg width="14" height="14" viewBox="0 0 20 20">
                {marks[tone]}
              </svg>
            </i>
            {word} <span className="num">{count}</span>
          </li>
        ))}
    </ul>
  );
}
