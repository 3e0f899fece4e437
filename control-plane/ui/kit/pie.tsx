import type { ReactNode } from 'react';
import { type Figure, share, worded } from './numbers.ts';
import styles from './pie.module.css';

/** A part of a whole. */
export interface Part {
  readonly key: string;
  readonly name: ReactNode;
  /** Its token, e.g. `--series-2`. */
  readonly color: string;
  readonly value: number;
  readonly figure: Figure;
}

const around = 50;

/** Parts of a whole as a picture, and beside it what each is called, how much it is, and its share. `polar` shows by lengths what the others show by angles. */
export function Pie({
  label,
  look,
  parts,
}: {
  readonly label: string;
  readonly look: 'doughnut' | 'pie' | 'polar';
  readonly parts: readonly Part[];
}) {
  const sum = parts.reduce((total, { value }) => total + value, 0);
  return (
    <div className={styles['pie']}>
      <svg viewBox="0 0 100 100" aria-hidden>
        {sectorsOf(parts, look).map(({ color, key, path }) => (
          <path key={key} d={path} fill={`var(${color})`} fillRule="evenodd" />
        ))}
      </svg>
      <table aria-label={label}>
        <thead className="hidden">
          <tr>
            <th scope="col">What</th>
            <th scope="col">How much</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {parts.map(({ key, name, color, value, figure }) => (
            <tr key={key}>
              <td>
                <i style={{ background: `var(${color})` }} />
                <span>{name}</span>
              </td>
              <td className="num">{worded(figure)}</td>
              <td className="num second">{worded(share(value, sum))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Outlines of the parts, from twelve o'clock on. */
function sectorsOf(parts: readonly Part[], look: 'doughnut' | 'pie' | 'polar') {
  const shown = parts.filter(({ value }) => value > 0);
  const sum = shown.reduce((total, { value }) => total + value, 0);
  const most = Math.max(...shown.map(({ value }) => value), 0);
  let turned = 0;
  return shown.map(({ key, color, value }) => {
    const angle = look === 'polar' ? 1 / shown.length : value / sum;
    const radius = look === 'polar' ? (around - 2) * Math.sqrt(value / most) : around - 2;
    const path = ring({ from: turned, to: turned + angle, radius, hole: look === 'doughnut' ? 30 : 0 });
    turned += angle;
    return { key, color, path };
  });
}

/** From and to in turns. */
function ring({
  from,
  to,
  radius,
  hole,
}: {
  readonly from: number;
  readonly to: number;
  readonly radius: number;
  readonly hole: number;
}): string {
  const at = (turns: number, far: number): string =>
    `${(around + far * Math.sin(2 * Math.PI * turns)).toFixed(2)} ${(around - far * Math.cos(2 * Math.PI * turns)).toFixed(2)}`;
  // An arc that ends where it begins is none.
  if (to - from > 0.9999)
    return [radius, hole]
      .filter((far) => far > 0)
      .map((far) => `M${at(0, far)}A${far} ${far} 0 1 1 ${at(0.5, far)}A${far} ${far} 0 1 1 ${at(0, far)}Z`)
      .join('');
  const isLong = to - from > 0.5 ? 1 : 0;
  const back =
    hole === 0 ? `L${around} ${around}` : `L${at(to, hole)}A${hole} ${hole} 0 ${isLong} 0 ${at(from, hole)}`;
  return `M${at(from, radius)}A${radius} ${radius} 0 ${isLong} 1 ${at(to, radius)}${back}Z`;
}
