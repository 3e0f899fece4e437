import { readFileSync } from 'node:fs';

/** A function in a profile. */
export interface ProfiledFunction {
  /** e.g. `parseHead`; V8's own in brackets: `(program)` is native code and system calls, `(garbage collector)`. */
  readonly name: string;
  /** e.g. `data-plane/http/message/head.ts:41`; empty for V8's own. */
  readonly place: string;
  /** Share of the busy time spent in the function itself, 0 to 1. */
  readonly self: number;
  /** Share spent in it and in what it called, 0 to 1. */
  readonly total: number;
}

/** What a profile says about one thread. */
export interface ThreadProfile {
  readonly file: string;
  /** Time in the window that was not idle, microseconds. */
  readonly busyUs: number;
  readonly windowUs: number;
  /** By self time, largest first. */
  readonly functions: readonly ProfiledFunction[];
}

/** The part of V8's .cpuprofile that is read: a tree of call sites, and which one every sample hit. */
interface RawProfile {
  readonly nodes: readonly RawNode[];
  /** Microseconds of the monotonic clock, which all processes of a machine read alike. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds from the sample before. */
  readonly timeDeltas: readonly number[];
}

interface RawNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/**
 * Reads a .cpuprofile and sums the samples between two moments, so that starting up and stopping do not count.
 *
 * Units:  fromUs and toUs are microseconds of the monotonic clock (`process.hrtime`).
 * Source: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
 */
export function readProfile(file: string, fromUs: number, toUs: number): ThreadProfile {
  // Node wrote it a moment ago; there is no stranger at this door.
  const raw = JSON.parse(readFileSync(file, 'utf8')) as RawProfile;
  const nodes = new Map(raw.nodes.map((node) => [node.id, node]));
  const parents = new Map(raw.nodes.flatMap((node) => (node.children ?? []).map((id) => [id, node.id])));
  const selfUs = sumSamples(raw, fromUs, toUs);
  const byFunction = new Map<string, { name: string; place: string; selfUs: number; totalUs: number }>();
  const entryOf = (id: number) => {
    const frame = nodes.get(id)?.callFrame ?? { functionName: '?', url: '', lineNumber: -1 };
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}`;
    const known = byFunction.get(key);
    if (known !== undefined) return known;
    const made = {
      name: frame.functionName === '' ? '(anonymous)' : frame.functionName,
      place: placeOf(frame),
      selfUs: 0,
      totalUs: 0,
    };
    byFunction.set(key, made);
    return made;
  };
  let busyUs = 0;
  for (const [id, us] of selfUs) {
    if (nodes.get(id)?.callFrame.functionName === '(idle)') continue;
    busyUs += us;
    entryOf(id).selfUs += us;
    // A function that calls itself stands several times on the stack, but its time counts once.
    const stack = new Set<ReturnType<typeof entryOf>>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.add(entryOf(at));
    for (const entry of stack) entry.totalUs += us;
  }
  const functions = [...byFunction.values()]
    .map(({ name, place, ...time }) => ({
      name,
      place,
      self: time.selfUs / busyUs,
      total: time.totalUs / busyUs,
    }))
    .toSorted((a, b) => b.self - a.self);
  return { file, busyUs, windowUs: toUs - fromUs, functions };
}

/** Microseconds per node within the window. A sample's time is that until the next one. */
function sumSamples(raw: RawProfile, fromUs: number, toUs: number): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  let atUs = raw.startTime;
  raw.samples.forEach((id, index) => {
    atUs += raw.timeDeltas[index] ?? 0;
    const us = raw.timeDeltas[index + 1] ?? 0;
    if (atUs >= fromUs && atUs < toUs) sums.set(id, (sums.get(id) ?? 0) + us);
  });
  return sums;
}

function placeOf(frame: RawNode['callFrame']): string {
  if (frame.url === '') return '';
  const root = new URL('../../', import.meta.url).href;
  const path = frame.url.startsWith(root) ? frame.url.slice(root.length) : frame.url;
  return `${path}:${frame.lineNumber + 1}`;
}
