import { join } from 'node:path';
import type { Peer, paths } from '../peer.ts';
import { loadCpu, type Stage } from '../stage.ts';

/** What is sent, and when. */
export interface OpenLoad {
  readonly url: string;
  readonly path: (typeof paths)[number];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly connections: number;
  readonly perSecond: number;
  /** The first second warms up. */
  readonly seconds: number;
}

/** Times from when a request was due to the last byte of its answer. */
export interface OpenRun {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late the generator itself sent requests that found a free connection; it is part of the times above. */
  readonly lateP99Ms: number;
  readonly failures: number;
}

/** Sends requests at planned times from the load's core. */
export async function measureOpen(
  stage: Stage,
  peer: Peer,
  load: Pick<OpenLoad, 'path' | 'connections' | 'perSecond' | 'seconds'>,
): Promise<OpenRun> {
  const wish: OpenLoad = { ...load, url: `${peer.url}${load.path}`, headers: peer.headers };
  const main = join(import.meta.dirname, 'open-loop-main.ts');
  const child = stage.start(loadCpu, [process.execPath, main, JSON.stringify(wish)]);
  const output = await child.output;
  if (output === '') throw new Error(`the generator ended while ${peer.name} was measured`);
  // Written by our own process a moment ago.
  return JSON.parse(output) as OpenRun;
}
