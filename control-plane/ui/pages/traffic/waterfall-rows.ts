import type { Schemas } from '../../api/client.ts';
import { shortId } from '../../kit/numbers.ts';

type Step = Schemas['CallSteps']['list'][number];

/** A step as it stands in the waterfall. */
export interface Row extends Pick<Step, 'decision' | 'said' | 'place' | 'fromUs' | 'tookUs'> {
  readonly key: string;
  /** Of the step, e.g. `match` or `rate-limit`. */
  readonly id: string;
  readonly name: string;
  readonly group: string;
  /** Whose time it is. */
  readonly side: 'gateway' | 'backend';
}

/** Steps of one phase that follow each other. */
export interface Group {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly fromUs: number;
  readonly tookUs: number;
}

const groups: Readonly<Record<Step['phase'], string>> = {
  entry: 'Entry',
  request: 'Request policies',
  around: 'Backend',
  backend: 'Backend',
  response: 'Response policies',
  answer: 'Answer',
};

/** What is not called by its id. */
const words: ReadonlyMap<string, string> = new Map([
  ['endpoint', 'Choose endpoint'],
  ['dns', 'DNS'],
  ['tls', 'TLS'],
  ['answer', 'Send answer'],
]);

/** The rows of a list; of the gateway alone they move together, so that its own time fills the axis. */
export function rowsOf(
  list: readonly Step[],
  { scale, names }: { readonly scale: 'whole' | 'gateway'; readonly names: ReadonlyMap<string, string> },
): readonly Row[] {
  const rows = list.map((step, index): Row => {
    const { phase, step: id, ...told } = step;
    const side = phase === 'backend' && id !== 'endpoint' ? 'backend' : 'gateway';
    const row = { ...told, key: `${index}`, id, name: nameOf(id), group: groups[phase], side } as const;
    return told.said === undefined ? row : { ...row, said: named(told.said, names) };
  });
  if (scale === 'whole') return rows;
  let atUs = 0;
  return rows
    .filter(({ side }) => side === 'gateway')
    .map((row) => {
      const fromUs = atUs;
      atUs += row.tookUs;
      return { ...row, fromUs };
    });
}

const uuid = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;

/** A text with the names of what it says by id; ids without one are shortened. */
function named(said: string, names: ReadonlyMap<string, string>): string {
  let text = said;
  for (const [id, name] of names) text = text.replaceAll(id, name);
  return text.replaceAll(uuid, shortId);
}

function nameOf(id: string): string {
  const name = words.get(id) ?? id.replaceAll('-', ' ');
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

/** Rows by phase, in their order. */
export function groupsOf(rows: readonly Row[]): readonly Group[] {
  const found: Row[][] = [];
  for (const row of rows) {
    const last = found.at(-1);
    if (last?.[0]?.group === row.group) last.push(row);
    else found.push([row]);
  }
  return found.flatMap((of) => {
    const [first] = of;
    if (first === undefined) return [];
    const tookUs = of.reduce((sum, row) => sum + row.tookUs, 0);
    return [{ name: first.group, rows: of, fromUs: first.fromUs, tookUs }];
  });
}
