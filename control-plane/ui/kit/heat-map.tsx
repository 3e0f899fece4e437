import styles from './heat-map.module.css';
import { moment, tick } from './numbers.ts';

/** A row of a {@link HeatMap}: what it counts, and how many of it in each step. */
export interface HeatRow {
  readonly name: string;
  readonly counts: readonly (number | undefined)[];
}

/** `11-23 15:04`. */
const clockWords = (ms: number): string => moment(ms).slice(5, 16);

/** How many of what in which step of time: the darker, the more. It is a table, so that every cell can be read. */
export function HeatMap({
  title,
  stepsMs,
  rows,
  onZoom,
}: {
  readonly title: string;
  /** Beginnings of steps, ms since the epoch. */
  readonly stepsMs: readonly number[];
  /** From above to below. */
  readonly rows: readonly HeatRow[];
  /** Somebody wants to see a step alone. */
  readonly onZoom: (at: number) => void;
}) {
  const most = Math.max(1, ...rows.flatMap(({ counts }) => counts.map((count = 0) => count)));
  const total = rows.reduce((sum, { counts }) => sum + counts.reduce<number>((a, b = 0) => a + b, 0), 0);
  return (
    <figure className={styles['map']} aria-label={title}>
      <figcaption>
        <h2>{title}</h2>
        <span className="second">
          {total === 0 ? 'no call in this time' : `${new Intl.NumberFormat('en').format(total)} calls`}
        </span>
        <Scale />
      </figcaption>
      <div className={styles['scroll']} tabIndex={0} role="region" aria-label={`${title}, cells`}>
        <table>
          <colgroup>
            <col className={styles['names']} />
            <col span={stepsMs.length} />
          </colgroup>
          <thead className="hidden">
            <tr>
              <td />
              {stepsMs.map((ms) => (
                <th key={ms} scope="col">
                  {clockWords(ms)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, counts }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {stepsMs.map((ms, at) => (
                  <Cell
                    key={ms}
                    count={counts[at] ?? 0}
                    most={most}
                    words={`${clockWords(ms)}, ${name}`}
                    onClick={() => onZoom(ms)}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Axis stepsMs={stepsMs} />
    </figure>
  );
}

/** The least that there is can be told from nothing. */
const faintest = 0.14;
const strengths = [faintest, 0.35, 0.55, 0.78, 1] as const;
/** More would stand over each other. */
const ticksMax = 8;

/** What the strengths of cells mean. */
const Scale = () => (
  <span className={styles['scale']} aria-hidden>
    few
    {strengths.map((strength) => (
      <i key={strength} style={{ opacity: strength }} />
    ))}
    many
  </span>
);

function Axis({ stepsMs }: { readonly stepsMs: readonly number[] }) {
  const every = Math.max(1, Math.ceil(stepsMs.length / ticksMax));
  const [first = 0, second = first] = stepsMs;
  return (
    <div className={styles['axis']} aria-hidden>
      {stepsMs.map(
        (ms, at) =>
          at % every === 0 && (
            <span key={ms} style={{ left: `${(100 * at) / stepsMs.length}%` }}>
              {tick(ms, second - first)}
            </span>
          ),
      )}
    </div>
  );
}

function Cell({
  count,
  most,
  words,
  onClick,
}: {
  readonly count: number;
  readonly most: number;
  readonly words: string;
  readonly onClick: () => void;
}) {
  // Of calls there are few slow ones, and they are what is looked for: the root shows them beside the many.
  const strength = count === 0 ? 0 : faintest + (1 - faintest) * Math.sqrt(count / most);
  return (
    // What a click shows, the span menu shows too.
    <td title={count === 0 ? undefined : `${words}: ${count}`} onClick={count === 0 ? undefined : onClick}>
      <i style={{ opacity: strength }} />
      <span className="hidden">{count}</span>
    </td>
  );
}
