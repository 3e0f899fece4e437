import type { ReactNode } from 'react';
import { type Figure, worded } from './numbers.ts';
import styles from './columns.module.css';

/** Some figures beside each other as columns; read out as a list of names and figures. */
export const ColumnBars = ({
  label,
  columns,
}: {
  readonly label: string;
  readonly columns: readonly {
    readonly key: string;
    readonly name: ReactNode;
    /** 0 to 1. */
    readonly part: number;
    readonly figure: Figure;
  }[];
}) => (
  <ul className={styles['columns']} aria-label={label}>
    {columns.map(({ key, name, part, figure }) => (
      <li key={key}>
        <span className="num">{worded(figure)}</span>
        <span className={styles['track']} aria-hidden>
          <i style={{ height: `${100 * part}%` }} />
        </span>
        <span className={styles['name']}>{name}</span>
      </li>
    ))}
  </ul>
);
