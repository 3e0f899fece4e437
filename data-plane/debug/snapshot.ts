import { debugLimits } from '../../proto/model/records/debug-run.ts';
import type { HeaderList } from '../http/exchange.ts';
import type { HeaderLines } from '../report/logs/log-facts.ts';

/** What steps can see and change of a request, or of its answer, at one moment. */
export interface Snapshot {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly query: string | undefined;
  readonly status: number | undefined;
  readonly headers: HeaderLines;
  readonly attributes: ReadonlyMap<string, string>;
  /** Whole, as it was last known; undefined where nobody has read it. Steps replace it, and never write into it. */
  readonly content: Uint8Array | undefined;
}

/** One thing that a step changed, as it was: who shows it masks it. */
export interface Change {
  readonly part: 'method' | 'path' | 'query' | 'header' | 'attribute' | 'status' | 'body';
  /** Of a header or an attribute. */
  readonly name?: string | undefined;
  readonly before: string | Uint8Array | undefined;
  readonly after: string | Uint8Array | undefined;
}

/** A request as far as it is looked at. */
export interface SeenRequest {
  readonly method: string;
  readonly pathInfo: string;
  readonly query: string | undefined;
  readonly headers: HeaderList;
  readonly content: Uint8Array | undefined;
}

/** An answer as far as it is looked at. */
export interface SeenAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly content?: Uint8Array | undefined;
}

/** What a request is now; `content` is what is known of its body where no step has it. */
export function requestNow(
  { method, pathInfo, query, headers, content }: SeenRequest,
  attributes: Iterable<readonly [name: string, value: unknown]>,
  known: Uint8Array | undefined,
): Snapshot {
  return {
    method,
    path: pathInfo,
    query,
    status: undefined,
    headers: linesOf(headers),
    attributes: textsOf(attributes),
    content: content ?? known,
  };
}

/** What an answer is now. */
export function answerNow(
  { status, headers, content }: SeenAnswer,
  attributes: Iterable<readonly [name: string, value: unknown]>,
  known: Uint8Array | undefined,
): Snapshot {
  return {
    method: undefined,
    path: undefined,
    query: undefined,
    status,
    headers: linesOf(headers),
    attributes: textsOf(attributes),
    content: content ?? known,
  };
}

/** What is otherwise; of many the first. */
export function changesBetween(before: Snapshot, after: Snapshot): readonly Change[] {
  const plain = (['method', 'path', 'query'] as const).flatMap((part) =>
    before[part] === after[part] ? [] : [{ part, before: before[part], after: after[part] }],
  );
  const status =
    before.status === after.status
      ? []
      : [{ part: 'status', before: String(before.status), after: String(after.status) } as const];
  const body = isSame(before.content, after.content)
    ? []
    : [{ part: 'body', before: before.content, after: after.content } as const];
  const headers = differences(valuesByName(before.headers), valuesByName(after.headers));
  const attributes = differences(before.attributes, after.attributes);
  return [
    ...plain,
    ...status,
    ...body,
    ...headers.map((change) => ({ part: 'header' as const, ...change })),
    ...attributes.map((change) => ({ part: 'attribute' as const, ...change })),
  ].slice(0, debugLimits.changesPerStepMax);
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    before.get(name) === after.get(name) ? [] : [{ name, before: before.get(name), after: after.get(name) }],
  );
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === other) return true;
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}

function linesOf(headers: HeaderList): HeaderLines {
  const lines: (readonly [string, string])[] = [];
  headers.forEach((name, value) => void lines.push([name, value]));
  return lines;
}

/** The values of a name, whatever its case, in one text, as HTTP joins them. */
function valuesByName(lines: HeaderLines): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of lines) {
    const lowerName = name.toLowerCase();
    const known = values.get(lowerName);
    values.set(lowerName, known === undefined ? value : `${known}, ${value}`);
  }
  return values;
}

function textsOf(attributes: Iterable<readonly [name: string, value: unknown]>): ReadonlyMap<string, string> {
  return new Map(
    [...attributes].flatMap(([name, value]) => (value === undefined ? [] : [[name, textOf(value)]])),
  );
}

/** Attributes hold whatever policies put there. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return `[${typeof value}]`;
  }
}
