import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createTurns } from '../../control-plane/access/turns.ts';
import type { ControlPlaneConfig } from '../../control-plane/config.ts';
import type { RunWish } from '../../data-plane/debug/run.ts';
import {
  type DebugEnd,
  type DebugJob,
  debugLimits,
  type DebugRuns,
  debugWordsSchema,
} from '../../proto/model/records/debug-run.ts';
import type { ProcessParts } from '../run-process.ts';
import { version } from '../version.ts';
import type { WatchWish } from './watch-thread.ts';

/** Of one user: one runs, and so many wait behind it. */
const waitingPerUserMax = 1;
/** Of the places where runs wait one organization, however many users it has, takes at most this part, and as many as run. */
const waitingPartPerOrganization = 0.5;
/** What a run needs of its time to start and to tell what came of it. */
const aroundMsMax = 3_000;
/** A run waits at the other end of a pipe: work for callers comes first. */
const nicerBy = 5;
const mebibyte = 1_048_576;

/** What runs need of their process. */
export type DebugRunsParts = Pick<ProcessParts, 'clock' | 'lifecycle' | 'log'> & {
  readonly config: Pick<ControlPlaneConfig, 'debug' | 'outbound'>;
};

/**
 * Runs requests through drafts, each in a process of its own, which is killed when its time is over and when this one closes.
 *
 * The process has an empty environment, no descriptor of ours but its two pipes, may write no file and start no process, and reads none but the
 * program's own. It calls as this process calls for tenants: public addresses, and what `outbound.allow` names.
 * asGateway: what the one gateway may call whose drafts these are, when it runs beside us, since a deployment reaches that anyway.
 */
export function createDebugRuns(
  parts: DebugRunsParts,
  asGateway: () => RunWish['asGateway'] = () => undefined,
): DebugRuns {
  const { debug } = parts.config;
  const children = new Set<ChildProcess>();
  parts.lifecycle.onClose('debug runs', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  const turns = createTurns({
    concurrencyMax: debug.runningMax,
    waitingPerSourceMax: waitingPerUserMax,
    waitingMax: debug.waitingMax,
  });
  const runOne = async (job: DebugJob): Promise<DebugEnd> => {
    const child = start(parts);
    children.add(child);
    try {
      return await end(child, wishOf(job, parts, asGateway()), parts);
    } finally {
      children.delete(child);
    }
  };
  const most = debug.runningMax + Math.ceil(debug.waitingMax * waitingPartPerOrganization);
  const underWay = new Map<string, number>();
  return {
    async run(source, job) {
      const { organization } = job;
      const before = underWay.get(organization) ?? 0;
      if (before >= most) return 'busy';
      underWay.set(organization, before + 1);
      try {
        return await turns.take(source, () => runOne(job));
      } finally {
        const left = (underWay.get(organization) ?? 1) - 1;
        if (left > 0) underWay.set(organization, left);
        else underWay.delete(organization);
      }
    },
  };
}

function wishOf(
  job: DebugJob,
  { config: { debug, outbound } }: DebugRunsParts,
  asGateway: RunWish['asGateway'],
): RunWish {
  return {
    job,
    answerMsMax: debug.runMsMax - aroundMsMax,
    outbound,
    asGateway,
    version,
  };
}

function start({ config: { debug, outbound }, log }: DebugRunsParts): ChildProcess {
  const { runMsMax, memoryBytesMax } = debug;
  // The packed program is JavaScript; a checkout runs the source.
  const isSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(isSource ? './debug-main.ts' : './debug-main.js', import.meta.url));
  const watch: WatchWish = { parent: process.pid, lifeMsMax: runMsMax, memoryBytesMax };
  const cache = getCompileCacheDir();
  const readable = [...programFolders(), cache, outbound.caFile].filter((path) => path !== undefined);
  const child = spawn(
    process.execPath,
    [
      '--permission',
      '--allow-worker',
      ...readable.map((path) => `--allow-fs-read=${path}`),
      `--max-old-space-size=${Math.floor(memoryBytesMax / 2 / mebibyte)}`,
      file,
      JSON.stringify(watch),
    ],
    {
      // Compiled code of ours is all that it may find there.
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    },
  );
  try {
    if (child.pid !== undefined) setPriority(child.pid, nicerBy);
  } catch (error) {
    log.debug({ error }, 'a debug run has the priority of its parent');
  }
  return child;
}

/** The program, and every folder in which its packages may lie. */
function programFolders(): readonly string[] {
  let root = realpathSync(import.meta.dirname);
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  const folders = [root];
  for (let folder = dirname(root); folder !== dirname(folder); folder = dirname(folder)) {
    const packages = join(folder, 'node_modules');
    if (existsSync(packages)) folders.push(realpathSync(packages));
  }
  const own = join(root, 'node_modules');
  return existsSync(own) ? [...folders, realpathSync(own)] : folders;
}

/** Tells it what to run, and hears what comes of it. Never rejects. */
async function end(
  child: ChildProcess,
  wish: RunWish,
  { config: { debug }, clock }: DebugRunsParts,
): Promise<DebugEnd> {
  let isLate = false;
  const cancel = clock.after(debug.runMsMax, () => {
    isLate = true;
    child.kill('SIGKILL');
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`));
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(`${JSON.stringify(wish)}\n`);
  const said = await heard(child.stdio[3] as Readable, () => child.kill('SIGKILL'));
  const how = await ended;
  cancel();
  child.stdin?.destroy();
  if (isLate) return { kind: 'late' };
  return readWords(said) ?? { kind: 'broken', how };
}

/** All that it says, up to a bound; past it nothing of it counts. */
function heard(pipe: Readable, onTooMuch: () => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    pipe.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= debugLimits.reportBytesMax) pieces.push(piece);
      else onTooMuch();
    });
    pipe.on('error', () => resolve(undefined));
    pipe.once('close', () =>
      resolve(bytes <= debugLimits.reportBytesMax ? Buffer.concat(pieces).toString() : undefined),
    );
  });
}

/** It ran what strangers wrote: what it says is judged as theirs. */
function readWords(said: string | undefined): DebugEnd | undefined {
  if (said === undefined || said === '') return undefined;
  try {
    const words = debugWordsSchema.safeParse(JSON.parse(said));
    return words.success ? words.data : undefined;
  } catch {
    return undefined;
  }
}
