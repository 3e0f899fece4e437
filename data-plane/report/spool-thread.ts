/**
 * The thread that writes spools: the only one of the gateway that touches their disk, so that a disk that stalls stalls nobody else.
 *
 * It never gives up a line: a write that fails is tried again until it succeeds, and until then nothing is acknowledged.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../proto/faults/fault.ts';
import type { GapRecord } from '../../proto/model/access-record.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { diskFiles, type SpoolFiles } from '../../proto/spool/spool-files.ts';
import { partOf } from './blocks.ts';
import type { FromThread, Part, Tenant, ThreadOptions, ToThread } from './messages.ts';
import { Spools } from './spools.ts';
import { type LostRange, Upkeep } from './upkeep.ts';

closeBuiltIns();

const retryMs = 100;
/** Gap records that wait for a disk that refuses; past it the oldest is not said in the stream, only counted. */
const owedMax = 1_000;
const { dir, checkpointDir, gateway, settings, filesModule } = workerData as ThreadOptions;
const port = parentPort;
invariant(port !== null, 'the spool thread is started as a worker');
const say = (message: FromThread): void => port.postMessage(message);

const files: SpoolFiles =
  filesModule === undefined
    ? diskFiles
    : ((await import(filesModule)) as { readonly files: SpoolFiles }).files;

const spools = new Spools({
  dir,
  gateway,
  segmentBytes: settings.segmentBytes,
  files,
  onRescue(at, rescue) {
    say({ kind: 'rescued', ...rescue });
    if (rescue.lost !== undefined) lose(at, { reason: 'deleted', ...rescue.lost, spool: rescue.spool });
  },
});
const queue: Part[] = [];
/** Gap records that the disk has not taken yet. */
const owed: Part[] = [];
let isRetrying = false;
let isClosing = false;

/** Makes a spool; on a failure it comes back later. */
function prepare(at: Tenant): void {
  try {
    spools.open(at);
  } catch (error) {
    trouble('prepare', error);
    if (!isClosing) setTimeout(() => prepare(at), retryMs);
    return;
  }
  say({ kind: 'prepared', at });
  prepareNext();
}

/** Writes what is queued; on a failure it comes back later. */
async function write(): Promise<void> {
  try {
    for (let part = queue[0]; part !== undefined; part = queue[0]) {
      spools.append(part);
      queue.shift();
    }
    if (settings.durability === 'synced') await spools.sync();
  } catch (error) {
    isRetrying = true;
    setTimeout(() => ((isRetrying = false), void write()), retryMs);
    return trouble('write', error);
  }
  say({ kind: 'written' });
  // Nobody waits for what comes now.
  prepareNext();
}

function prepareNext(): void {
  try {
    spools.prepareNext();
  } catch (error) {
    trouble('prepare', error);
  }
}

/** Forces to disk what was written, and looks whether it is still there. */
async function sync(): Promise<void> {
  try {
    spools.look();
  } catch (error) {
    say({ kind: 'astray', message: messageOf(error) });
  }
  try {
    await spools.sync();
    payOwed();
  } catch (error) {
    trouble('sync', error);
  }
}

/** Counts records as gone, and says so in the stream. */
function lose(
  at: Tenant,
  { first, last, ...where }: Pick<LostRange, 'reason' | 'spool' | 'first' | 'last'>,
): void {
  const dropped = last - first + 1;
  say({ kind: 'lost', reason: where.reason, count: dropped });
  const gap: GapRecord = {
    type: 'gap',
    org_id: at.organization,
    env_id: at.environment,
    gateway_id: gateway,
    timestamp: Date.now(),
    dropped,
    first,
    last,
    ...where,
  };
  owed.push(partOf(at, `${JSON.stringify(gap)}\n`));
  if (owed.length > owedMax) owed.shift();
}

function payOwed(): void {
  for (let gap = owed[0]; gap !== undefined; gap = owed[0]) {
    spools.append(gap);
    owed.shift();
  }
}

const upkeep = new Upkeep({
  dir,
  checkpointDir,
  diskBytesMax: settings.diskBytesMax,
  damagedBytesMax: settings.damagedBytesMax,
  segmentInUse: (spool) => spools.segmentInUse(spool),
});

async function keepUp(): Promise<void> {
  try {
    const { bytes, lost, damaged, problems } = await upkeep.run();
    for (const segment of damaged) say({ kind: 'damaged', segment });
    for (const { owner, stream, environment, ...range } of lost) {
      if (owner === undefined)
        say({ kind: 'lost', reason: range.reason, count: range.last - range.first + 1 });
      else lose({ stream, environment, organization: owner.organization }, range);
    }
    for (const problem of problems) trouble('upkeep', problem);
    say({ kind: 'upkeep', bytes });
    payOwed();
  } catch (error) {
    trouble('upkeep', error);
  }
}

function trouble(what: string, error: unknown): void {
  say({ kind: 'trouble', what, message: messageOf(error) });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Repeats work with a pause between, until the thread is closed. */
function every(ms: number, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const next = (): void => {
    if (!isClosing) timer = setTimeout(() => void (running = work().finally(next)), ms);
  };
  next();
  return () => {
    clearTimeout(timer);
    return running;
  };
}

const stops = [every(settings.syncEveryMs, sync), every(settings.upkeepEveryMs, keepUp)];

async function close(): Promise<void> {
  isClosing = true;
  await Promise.all(stops.map((stop) => stop()));
  spools.close((error) => trouble('close', error));
  say({ kind: 'closed' });
  port?.close();
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'close':
      return void close();
    case 'prepare':
      return prepare(message.at);
    case 'write':
      queue.push(...message.parts);
      if (!isRetrying) void write();
  }
});
say({ kind: 'ready' });
