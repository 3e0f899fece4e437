import type { ReactNode } from 'react';
import type { Figure } from './numbers.ts';
import styles from './bars.module.css';

/** One of the first of many: its name, its part of the greatest, its figures. */
export interface Bar {
  readonly key: string;
  readonly name: ReactNode;
  /** 0 to 1. */
  readonly part: number;
  readonly figures: readonly Figure[];
}

/** The first of many, each with a bar behind its name. */
export function Bars({
  label,
  heads,
  bars,
  isBad = false,
}: {
  readonly label: string;
  /** What the columns are called, the name's first. */
  readonly heads: readonly string[];
  readonly bars: readonly Bar[];
  readonly isBad?: boolean;
}) {
  return (
    <table className={styles['bars']} aria-label={label} data-bad={isBad || undefined}>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars.map(({ key, name, part, figures }) => (
          <tr key={key}>
            <td>
              <i style={{ width: `${100 * part}%` }} />
              <span>{name}</span>
            </td>
            {figures.map(({ value, unit }, at) => (
              // A figure is its column.
              <td key={at} className="num">
                {value} <span className="quiet">{unit}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
