import { Table2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { IconButton } from './button.tsx';
import { clock, day, dayMs, type Figure, tick, worded } from './numbers.ts';
import styles from './time-chart.module.css';

/** One of several things that a chart shows over time. */
export interface Series {
  readonly name: string;
  /** Its token, e.g. `--series-2`. */
  readonly color: string;
  /** One for each step; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

/** A moment that explains what a chart shows, e.g. a deployment of an API. */
export interface Mark {
  readonly atMs: number;
  readonly name: string;
}

interface ChartProps {
  readonly title: string;
  /** Starts of the steps, ms since the epoch, and how long each lasts. */
  readonly stepsMs: readonly number[];
  readonly stepMs: number;
  readonly series: readonly Series[];
  /** `stack`: bars of parts of a whole; `lines`: figures beside each other. */
  readonly look: 'stack' | 'lines';
  readonly say: (value: number | undefined) => Figure;
  /** Deployments of the span, from the first to the last. */
  readonly marks?: readonly Mark[];
  /** Without a frame and a heading that is seen, where it stands above what it counts. */
  readonly isBare?: boolean;
  /** Of the picture. Default: 180. */
  readonly heightPx?: number;
  /** A span that somebody has drawn over, ms since the epoch. */
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** 1, 2, 5, 10, 20 … up to what nobody counts. */
const wholeSteps = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

const usualHeightPx = 180;
/** Lower than that, a picture has its lines close together. */
const lowPx = 120;
/** A shorter drag is a click. */
const dragPxMin = 6;
/** Charts of one name share the cursor. */
const cursorKey = 'traffic';

/** Figures over time: a picture with one cursor for all of a page, and the same as a table. */
export function TimeChart(props: ChartProps) {
  const { title, series, stepsMs, say, look, marks = [], isBare = false } = props;
  const [isTable, setTable] = useState(false);
  const [at, setAt] = useState<number>();
  return (
    <figure className={styles['chart']} aria-label={title} data-bare={isBare || undefined}>
      <figcaption>
        <h2 className={isBare ? 'hidden' : undefined}>{title}</h2>
        <span className={`${styles['moment']} num`}>
          {at === undefined ? '' : momentWords(stepsMs[at] ?? 0, props)}
        </span>
        <ul className={styles['legend']}>
          {series.map(({ name, color, values }) => (
            <li key={name}>
              <i data-look={look} style={{ background: `var(${color})` }} />
              {name}
              {at !== undefined && <b className="num">{worded(say(values[at]))}</b>}
            </li>
          ))}
          {marks.length > 0 && (
            <li>
              <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden>
                <path d="M5 .3 9.7 5 5 9.7.3 5z" fill="var(--info)" />
              </svg>
              {marks.length === 1 ? 'Deployment' : 'Deployments'}
            </li>
          )}
        </ul>
        <IconButton
          label={isTable ? `Show ${title} as a picture` : `Show ${title} as a table`}
          onClick={() => setTable(!isTable)}
        >
          <Table2 size={14} aria-hidden />
        </IconButton>
      </figcaption>
      {marks.length > 0 && (
        <p className="hidden">
          Deployed: {marks.map(({ atMs, name }) => `${name} at ${day(atMs)} ${clock(atMs, true)}`).join(', ')}
        </p>
      )}
      {isTable ? <AsTable {...props} /> : <Picture {...props} onCursor={setAt} />}
    </figure>
  );
}

function Picture(props: ChartProps & { readonly onCursor: (at: number | undefined) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const { stepsMs, stepMs, series, look, marks, heightPx = usualHeightPx } = props;
  // The handlers of the last drawing: a picture is made anew when its figures are others, not with each answer that says the same.
  const latest = useRef(props);
  latest.current = props;
  const shown = JSON.stringify([stepsMs, stepMs, series, look, marks, heightPx]);
  useEffect(() => {
    const holder = place.current;
    if (holder === null) return undefined;
    const plot = new uPlot(optionsOf(latest, holder.clientWidth), dataOf(latest.current), holder);
    const size = new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: heightPx }));
    size.observe(holder);
    const theme = new MutationObserver(() => plot.redraw());
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      size.disconnect();
      theme.disconnect();
      plot.destroy();
    };
  }, [shown]);
  return <div ref={place} className={styles['picture']} style={{ height: heightPx }} aria-hidden />;
}

/** A stack is drawn from its top: each covers what is below it but for its own part. */
function dataOf({ stepsMs, series, look }: ChartProps): uPlot.AlignedData {
  const seconds = stepsMs.map((ms) => ms / 1_000);
  const values = series.map((each) => each.values.map((value) => value ?? null));
  if (look === 'lines') return [seconds, ...values];
  const sums = values.map((_, upTo) =>
    seconds.map((_second, at) => values.slice(0, upTo + 1).reduce((sum, each) => sum + (each[at] ?? 0), 0)),
  );
  return [seconds, ...sums.toReversed()];
}

/** A value between two that are not there, which no line reaches. */
const alone = ({ data }: uPlot, series: number): number[] => {
  const values = data[series] ?? [];
  const isThere = (at: number): boolean => values[at] !== undefined && values[at] !== null;
  return [...values.keys()].filter((at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1));
};

/** A canvas knows no custom properties. */
const inked = (token: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(token).trim();

const bars = uPlot.paths.bars?.({ size: [0.76, 64], align: 1 });

function optionsOf(latest: { readonly current: ChartProps }, width: number): uPlot.Options {
  const { series, look, stepsMs, stepMs, marks = [], heightPx = usualHeightPx } = latest.current;
  const [first = 0, last = 0] = [stepsMs[0], stepsMs.at(-1)];
  const isStack = look === 'stack';
  return {
    width,
    height: heightPx,
    // Marks stand above what is drawn.
    padding: [marks.length > 0 ? marksPx : 8, lastTickPx, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: cursorKey },
      drag: { x: true, y: false, setScale: false },
      points: { show: !isStack },
      y: false,
    },
    scales: {
      x: { range: () => [first / 1_000, (last + stepMs) / 1_000] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: axesOf(latest.current, heightPx),
    series: [
      {},
      ...(isStack ? series.toReversed() : series).map(({ name, color }): uPlot.Series => {
        const ink = (): string => inked(color);
        return {
          label: name,
          stroke: ink,
          spanGaps: false,
          ...(isStack
            ? { fill: ink, width: 0, points: { show: false }, ...(bars !== undefined && { paths: bars }) }
            : { width: 1.5, points: { size: 5, fill: ink, show: false, filter: alone } }),
        };
      }),
    ],
    hooks: {
      draw: [(plot) => drawMarks(plot, latest.current.marks ?? [])],
      setCursor: [({ cursor: { idx } }) => onCursorOf(latest)(idx ?? undefined)],
      setSelect: [
        (plot) => {
          const { left, width: drawn } = plot.select;
          if (drawn < dragPxMin) return;
          const msAt = (px: number): number => Math.round(plot.posToVal(px, 'x') * 1_000);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onZoom(msAt(left), msAt(left + drawn));
        },
      ],
    },
  };
}

/** Half of a tick's words, of which the last stands at the end. */
const lastTickPx = 16;
const diamondPx = 5;
const marksPx = 20;
const labelGapPx = 8;

/** A dashed line down from a diamond; its name beside it where there is room up to the next. */
function drawMarks(plot: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const ink = inked('--info');
  const placed = marks
    .map(({ atMs, name }) => ({ x: plot.valToPos(atMs / 1_000, 'x', true), name }))
    .filter(({ x }) => x >= bbox.left && x <= bbox.left + bbox.width);
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.fillStyle = ink;
  ctx.lineWidth = ratio;
  ctx.font = `${11 * ratio}px "Inter Variable", sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  // Names keep clear of each other, and of the end.
  let freeFrom = bbox.left;
  placed.forEach(({ x, name }, n) => {
    const size = diamondPx * ratio;
    const top = bbox.top - (marksPx - 8) * ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, top - size);
    ctx.lineTo(x + size, top);
    ctx.lineTo(x, top + size);
    ctx.lineTo(x - size, top);
    ctx.fill();
    const wide = ctx.measureText(name).width + labelGapPx * ratio;
    const end = placed[n + 1]?.x ?? bbox.left + bbox.width;
    if (x + wide + size < end) ctx.fillText(name, x + labelGapPx * ratio, top);
    else if (x - wide - size > freeFrom) ctx.fillText(name, x - wide, top);
    freeFrom = x + size;
  });
  ctx.restore();
}

/** Time below, and how much beside. */
function axesOf({ stepMs, look, say }: ChartProps, heightPx: number): uPlot.Axis[] {
  const axis = {
    stroke: () => inked('--text-3'),
    font: '11px "Inter Variable", sans-serif',
    ticks: { show: false },
    border: { show: false },
  };
  return [
    {
      ...axis,
      grid: { show: false },
      size: 28,
      space: 72,
      values: (_plot, at) => at.map((second) => tick(second * 1_000, stepMs)),
    },
    {
      ...axis,
      grid: { stroke: () => inked('--line'), width: 1 },
      size: 56,
      // Of calls there are no halves.
      ...(look === 'stack' && { incrs: wholeSteps }),
      // A low picture has room for few lines, and needs more than that of nothing.
      space: heightPx < lowPx ? 20 : 40,
      values: (_plot, at) => at.map((value) => worded(say(value))),
    },
  ];
}

const onCursorOf = (latest: { readonly current: ChartProps }) =>
  (latest.current as Parameters<typeof Picture>[0]).onCursor;

/** `11-23 14:00 to 14:30`. */
function stepWords(fromMs: number, stepMs: number): string {
  const withSeconds = stepMs < 60_000;
  if (stepMs >= dayMs) return day(fromMs);
  return `${day(fromMs)} ${clock(fromMs, withSeconds)} to ${clock(fromMs + stepMs, withSeconds)}`;
}

/** The step below the cursor, with what was deployed in it. */
function momentWords(fromMs: number, { stepMs, marks = [] }: ChartProps): string {
  const deployed = marks.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + stepMs);
  const names = [...new Set(deployed.map(({ name }) => name))].join(', ');
  return `${stepWords(fromMs, stepMs)}${names === '' ? '' : ` · ${names} deployed`}`;
}

function AsTable({ title, stepsMs, stepMs, series, say }: ChartProps) {
  return (
    <div className={styles['table']} tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {stepsMs.map((ms, at) => (
            <tr key={ms}>
              <th scope="row" className="num">
                {stepWords(ms, stepMs)}
              </th>
              {series.map(({ name, values }) => (
                <td key={name} className="num">
                  {worded(say(values[at]))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
