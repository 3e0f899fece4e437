import styles from './differences.module.css';

/** What one place holds before and after; of what is new there is no before. */
export interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Places that differ, each with both sides; `words` is what the sides are called. */
export function Differences({
  differences,
  words: [before, after],
}: {
  readonly differences: readonly Difference[];
  readonly words: readonly [before: string, after: string];
}) {
  return (
    <dl className={styles['differences']}>
      {differences.map((difference) => (
        <div key={difference.path}>
          <dt className="mono">{difference.path}</dt>
          <dd>
            {difference.before !== undefined && (
              <Side kind="before" word={before} value={difference.before} />
            )}
            {difference.after !== undefined && <Side kind="after" word={after} value={difference.after} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Longest value that is shown, in characters. */
const shownCharsMax = 2_000;

function Side({
  kind,
  word,
  value,
}: {
  readonly kind: 'before' | 'after';
  readonly word: string;
  readonly value: unknown;
}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return (
    <pre data-kind={kind} tabIndex={0} className="mono">
      <span aria-hidden>{kind === 'before' ? '− ' : '+ '}</span>
      <span className="hidden">{word}: </span>
      {text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)} …` : text}
    </pre>
  );
}
