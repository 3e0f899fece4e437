import { invariant } from '../../../proto/faults/fault.ts';
import { literal } from '../lake-columns.ts';
import type { SpanFile } from '../questions/span-files.store.ts';
import type { Span } from '../questions/from.ts';
import type { RollupNeeds } from '../questions/question.ts';
import { type Cube, cubes, numberColumns } from './cubes.ts';
import { rollupOf } from './rollups.store.ts';

/** Moments from one up to another, which is no more of them; ms since the epoch. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Files of which one cube answers for the moments of a window, and for the others of the span the files themselves. */
interface RolledFiles extends Window {
  readonly cube: Cube;
  readonly files: readonly SpanFile[];
}

/** How a question is answered: each record of the span stands in exactly one of these. */
export interface Plan {
  readonly rolled: readonly RolledFiles[];
  readonly read: readonly (Window & { readonly files: readonly SpanFile[] })[];
}

/** Chooses for each file the cube that has the fewest rows of those that can answer, and what of the file is still to be read. */
export function planOf(needs: RollupNeeds | undefined, span: Window, files: readonly SpanFile[]): Plan {
  const rolled = new Map<Cube, SpanFile[]>();
  const read = new Map<string, Window & { readonly files: SpanFile[] }>();
  const toRead = (window: Window, file: SpanFile): void => {
    if (window.fromMs >= window.toMs || file.maxMs < window.fromMs || file.minMs >= window.toMs) return;
    const name = `${window.fromMs} ${window.toMs}`;
    const known = read.get(name) ?? { ...window, files: [] };
    known.files.push(file);
    read.set(name, known);
  };
  for (const file of files) {
    const cube = needs === undefined ? undefined : cubeFor(needs, span, file);
    if (cube === undefined) {
      toRead(span, file);
      continue;
    }
    rolled.set(cube, [...(rolled.get(cube) ?? []), file]);
    const inner = windowOf(cube, span);
    toRead({ fromMs: span.fromMs, toMs: inner.fromMs }, file);
    toRead({ fromMs: inner.toMs, toMs: span.toMs }, file);
  }
  return {
    rolled: [...rolled].map(([cube, ofCube]) => ({ cube, files: ofCube, ...windowOf(cube, span) })),
    read: [...read.values()],
  };
}

function cubeFor(needs: RollupNeeds, span: Window, file: SpanFile): Cube | undefined {
  const rollup = rollupOf(file.rollup);
  if (rollup === undefined) return undefined;
  const rows = new Map(Object.entries(rollup.cubes));
  const able = cubes.filter(
    (cube) => rows.has(cube.name) && holds(cube, needs) && fits(cube, needs, { span, file }),
  );
  const [least] = able.toSorted((a, b) => (rows.get(a.name) ?? 0) - (rows.get(b.name) ?? 0));
  return least;
}

const holds = (cube: Cube, needs: RollupNeeds): boolean =>
  cube.holds === needs.holds &&
  needs.by.every((column) => cube.by.includes(column)) &&
  needs.numbers.every((number) => cube.numbers.includes(number));

/** Whether its rows can be told apart as the question tells moments apart. */
function fits(
  { stepMs }: Cube,
  { steps }: RollupNeeds,
  { span, file }: { readonly span: Window; readonly file: SpanFile },
): boolean {
  if (stepMs === undefined) {
    const isWhole = file.minMs >= span.fromMs && file.maxMs < span.toMs;
    // A row of a whole file says no time: where steps are asked for, none but those of parts of it do.
    return isWhole && steps === undefined;
  }
  const inner = windowOf({ stepMs }, span);
  // A span that lies within one step holds none: its end comes before its beginning, and what is left on both sides would overlap.
  if (inner.fromMs >= inner.toMs || file.maxMs < inner.fromMs || file.minMs >= inner.toMs) return false;
  return steps === undefined || (steps.startMs % stepMs === 0 && steps.intervalMs % stepMs === 0);
}

/** The whole steps of a cube within a span. */
function windowOf({ stepMs }: Pick<Cube, 'stepMs'>, { fromMs, toMs }: Window): Window {
  if (stepMs === undefined) return { fromMs, toMs };
  return { fromMs: Math.ceil(fromMs / stepMs) * stepMs, toMs: Math.floor(toMs / stepMs) * stepMs };
}

/**
 * The rows of the cubes of a plan, of one environment, with the columns that a question may name: those that it groups by and narrows by, `timestamp`
 * (of its step; of a row of a whole file none), `requests`, and of `sums` the columns of its numbers, of `bins` `bin`, `sum`, `least` and `most`,
 * of `names` `name`.
 */
export function rolledFrom(
  span: Span,
  needs: RollupNeeds,
  parts: readonly (Pick<RolledFiles, 'cube' | 'fromMs' | 'toMs'> & { readonly paths: readonly string[] })[],
): string {
  invariant(parts.length > 0, 'figures of some files are to be read');
  const columns = ['timestamp', ...needs.by, 'requests', ...ownColumns(needs)].join(', ');
  return parts
    .map(({ cube, fromMs, toMs, paths }) => {
      const within =
        cube.stepMs === undefined
          ? ''
          : ` AND timestamp >= epoch_ms(${Math.trunc(fromMs)}) AND timestamp < epoch_ms(${Math.trunc(toMs)})`;
      const [number = ''] = needs.numbers;
      const ofNumber = needs.holds === 'bins' ? ` AND number = ${literal(number)}` : '';
      return (
        `SELECT ${columns} FROM read_parquet([${paths.map(literal).join(', ')}]) WHERE cube = ${literal(cube.name)}${ofNumber} ` +
        `AND org_id = ${literal(span.organization)} AND env_id = ${literal(span.environment)}${within}`
      );
    })
    .join(' UNION ALL ');
}

function ownColumns({ holds: kind, numbers }: RollupNeeds): readonly string[] {
  switch (kind) {
    case 'sums':
      return numbers.flatMap((number) => Object.values(numberColumns(number)));
    case 'bins':
      return ['bin', 'sum', 'least', 'most'];
    case 'names':
      return ['name'];
  }
}
