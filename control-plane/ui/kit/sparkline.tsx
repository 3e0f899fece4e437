import styles from './sparkline.module.css';

const wide = 100;
const high = 28;

/** How a figure went; what it says stands beside it, so that it is for eyes alone. */
export function Sparkline({
  line,
  color,
  isSmall = false,
}: {
  readonly line: readonly (number | undefined)[];
  /** Its token, e.g. `--series-2`. */
  readonly color: string;
  /** In a row of a list. */
  readonly isSmall?: boolean;
}) {
  const most = Math.max(...line.map((value) => value ?? 0), 0);
  const points = line.flatMap((value, at) =>
    value === undefined || most === 0
      ? []
      : [
          `${((wide * at) / Math.max(1, line.length - 1)).toFixed(2)},${(high - 2 - ((high - 4) * value) / most).toFixed(2)}`,
        ],
  );
  // A figure that is known once alone is a dot, which a line of one point would not draw.
  const isDot = points.length === 1;
  return (
    <svg
      className={styles['spark']}
      data-small={isSmall || undefined}
      data-dot={isDot || undefined}
      viewBox={`0 0 ${wide} ${high}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      <polyline
        points={(isDot ? [...points, ...points] : points).join(' ')}
        stroke={`var(${color})`}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
