/**
 * The thread that writes spools: the only one of the gateway that touches their disk, so that a disk that stalls stalls nobody else.
 *
 * It never gives up a line: a write that fails is tried again until it succeeds, and until then nothing is acknowledged.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../proto/faults/fault.ts';
import type { GapRecord } from '../../proto/model/access-record.ts';
import type { StreamName } from '../../proto/spool/folder.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { collectStart } from '../../proto/process/heap/old-generation.ts';
import { diskFiles, type SpoolFiles } from '../../proto/spool/spool-files.ts';
import { partOf } from './blocks.ts';
import {
  type FromThread,
  type Part,
  type Tenant,
  type ThreadOptions,
  type ToThread,
  upkeepNeverMs,
} from './messages.ts';
import { Spools } from './spools.ts';
import { type LostRange, Upkeep } from './upkeep.ts';

closeBuiltIns();

const retryMs = 100;
/** Losses that wait for a disk that refuses their gap records; past it the oldest is told by the next process. */
const owedMax = 1_000;
const { dir, checkpointDir, ledger, gateway, settings, filesModule } = workerData as ThreadOptions;
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
  // What could not be saved shows as a hole, which upkeep finds.
  onRescue: (rescue) => say({ kind: 'rescued', ...rescue }),
});
const queue: Part[] = [];
/** Streams of which something is queued. */
const unwritten = new Set<StreamName>();
/** Losses that no gap record tells yet. */
const owed: LostRange[] = [];
/** A gap record whose place is noted: nothing else may be written there. */
let noted: Part | undefined;
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
  let streams: readonly StreamName[] = [];
  try {
    for (let part = queue[0]; part !== undefined; part = queue[0]) {
      spools.append(part);
      queue.shift();
    }
    streams = [...unwritten];
    unwritten.clear();
    if (settings.durability === 'synced') await spools.sync();
  } catch (error) {
    for (const stream of streams) unwritten.add(stream);
    isRetrying = true;
    setTimeout(() => ((isRetrying = false), void write()), retryMs);
    return trouble('write', error);
  }
  for (const stream of streams) say({ kind: 'written', stream });
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

/** Counts records as gone, and says so in the stream when the disk takes it. */
function lose(lost: LostRange): void {
  say({ kind: 'lost', reason: lost.reason, count: lost.last - lost.first + 1 });
  if (lost.organization === undefined) return;
  owed.push(lost);
  if (owed.length > owedMax) owed.shift();
}

function payOwed(): void {
  writeNoted();
  for (let lost = owed[0]; lost?.organization !== undefined; lost = owed[0]) {
    const { reason, stream, organization, environment, spool, first, last } = lost;
    const at = spools.tellerOf({ stream, organization, environment });
    // On disk before the place is noted: a place in no segment is taken for one that was shipped and deleted.
    spools.open(at);
    if (!upkeep.note(lost, spools.placeOf(at))) return;
    owed.shift();
    const gap: GapRecord = {
      type: 'gap',
      org_id: organization,
      env_id: environment,
      gateway_id: gateway,
      timestamp: Date.now(),
      reason,
      dropped: last - first + 1,
      spool,
      first,
      last,
    };
    noted = partOf(at, `${JSON.stringify(gap)}\n`);
    writeNoted();
  }
}

function writeNoted(): void {
  if (noted === undefined) return;
  spools.append(noted);
  noted = undefined;
}

const upkeep = new Upkeep({
  dir,
  checkpointDir,
  ledger,
  diskBytesMax: settings.diskBytesMax,
  damagedBytesMax: settings.damagedBytesMax,
  tallyDir: settings.tallyDir,
  segmentInUse: (spool) => spools.segmentInUse(spool),
});

async function keepUp(): Promise<void> {
  try {
    const { bytes, lost, damaged, problems } = await upkeep.run();
    for (const segment of damaged) say({ kind: 'damaged', segment });
    for (const range of lost) lose(range);
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
function every(ms: number, work: () => Promise<void>, firstMs = ms): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const next = (waitMs: number): void => {
    if (!isClosing) timer = setTimeout(() => void (running = work().finally(() => next(ms))), waitMs);
  };
  next(firstMs);
  return () => {
    clearTimeout(timer);
    return running;
  };
}

const { syncEveryMs, upkeepEveryMs } = settings;
// What an earlier process left is looked at at once: from then on a deletion shows, whoever is killed when.
const isKeeper = upkeepEveryMs !== upkeepNeverMs;
const stops = [every(syncEveryMs, sync), every(upkeepEveryMs, keepUp, isKeeper ? 0 : upkeepNeverMs)];

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
      unwritten.add(message.stream);
      if (!isRetrying) void write();
  }
});
// Before the process that waits for it does the same.
collectStart();
say({ kind: 'ready' });
