/**
 * The thread that writes spools: the only one of the gateway that touches their disk, so that a disk that stalls stalls nobody else.
 *
 * It never gives up a line: a write that fails is tried again until it succeeds, and until then nothing is acknowledged.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../proto/faults/fault.ts';
import type { GapRecord } from '../../proto/model/access-record.ts';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { newSpoolId, spoolFolder } from '../../proto/spool/folder.ts';
import { writeOwner } from '../../proto/spool/owner.ts';
import { diskFiles, type SpoolFiles } from '../../proto/spool/spool-files.ts';
import { createSpoolWriter, type SpoolWriter } from '../../proto/spool/writer.ts';
import { partOf } from './blocks.ts';
import type { FromThread, Part, Tenant, ThreadOptions, ToThread } from './messages.ts';
import { Upkeep, type DroppedRange } from './upkeep.ts';

closeBuiltIns();

const retryMs = 100;
const { dir, checkpointDir, gateway, settings, filesModule } = workerData as ThreadOptions;
const port = parentPort;
invariant(port !== null, 'the spool thread is started as a worker');
const say = (message: FromThread): void => port.postMessage(message);

const files: SpoolFiles =
  filesModule === undefined
    ? diskFiles
    : ((await import(filesModule)) as { readonly files: SpoolFiles }).files;

/** By stream and environment: landing keys name one tenant, and ranges must have no holes that belong to another. */
const writers = new Map<string, SpoolWriter>();
const queue: Part[] = [];
/** Gap records that the disk has not taken yet. */
const owed: Part[] = [];
let isRetrying = false;

function writerOf(part: Tenant): SpoolWriter {
  const key = `${part.stream}/${part.environment}`;
  const known = writers.get(key);
  if (known !== undefined) return known;
  const spool = newSpoolId();
  const folder = spoolFolder(dir, { stream: part.stream, environment: part.environment, spool });
  files.makeFolder(folder);
  writeOwner(folder, { organization: part.organization, environment: part.environment, gateway });
  const writer = createSpoolWriter({ dir: folder, spool, segmentBytes: settings.segmentBytes, files });
  writers.set(key, writer);
  return writer;
}

function append(part: Part): void {
  // A message turns a Buffer into what it is made of.
  const { buffer, byteOffset, length } = part.bytes;
  writerOf(part).append(Buffer.from(buffer, byteOffset, length), part.count);
}

/** Writes what is queued; on a failure it comes back later. */
async function write(): Promise<void> {
  try {
    for (let part = queue[0]; part !== undefined; part = queue[0]) {
      append(part);
      queue.shift();
    }
    if (settings.durability === 'synced') await sync();
  } catch (error) {
    isRetrying = true;
    setTimeout(() => ((isRetrying = false), void write()), retryMs);
    return trouble('write', error);
  }
  say({ kind: 'written' });
}

async function sync(): Promise<void> {
  // One after the other: each occupies a thread of the pool that name look-ups need too, and a frozen disk frees none.
  for (const writer of writers.values()) await writer.sync();
}

function gapPart(range: DroppedRange): readonly Part[] {
  if (range.owner === undefined) return [];
  const gap: GapRecord = {
    type: 'gap',
    org_id: range.owner.organization,
    env_id: range.environment,
    gateway_id: gateway,
    timestamp: Date.now(),
    reason: 'diskFull',
    dropped: range.last - range.first + 1,
    spool: range.spool,
    first: range.first,
    last: range.last,
  };
  const { stream, environment, owner } = range;
  const at = { stream, environment, organization: owner.organization };
  return [partOf(at, `${JSON.stringify(gap)}\n`)];
}

const upkeep = new Upkeep({
  dir,
  checkpointDir,
  diskBytesMax: settings.diskBytesMax,
  segmentInUse: (spool) => {
    const writer = [...writers.values()].find((known) => known.spool === spool);
    return writer === undefined ? undefined : (writer.segment ?? writer.next);
  },
});

async function keepUp(): Promise<void> {
  try {
    const { bytes, dropped } = await upkeep.run();
    for (const range of dropped) owed.push(...gapPart(range));
    for (let gap = owed[0]; gap !== undefined; gap = owed[0]) {
      append(gap);
      owed.shift();
    }
    say({
      kind: 'upkeep',
      bytes,
      dropped: dropped.reduce((sum, range) => sum + range.last - range.first + 1, 0),
    });
  } catch (error) {
    trouble('upkeep', error);
  }
}

function trouble(what: string, error: unknown): void {
  say({ kind: 'trouble', what, message: error instanceof Error ? error.message : String(error) });
}

/** Repeats work with a pause between, until the thread is closed. */
function every(ms: number, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;
  const next = (): void => {
    if (!isClosed) timer = setTimeout(() => void (running = work().finally(next)), ms);
  };
  next();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    return running;
  };
}

const stops = [
  every(settings.syncEveryMs, () => sync().catch((error: unknown) => trouble('sync', error))),
  every(settings.upkeepEveryMs, keepUp),
];

async function close(): Promise<void> {
  await Promise.all(stops.map((stop) => stop()));
  for (const writer of writers.values()) {
    try {
      writer.close();
    } catch (error) {
      trouble('close', error);
    }
  }
  say({ kind: 'closed' });
  port?.close();
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'close') return void close();
  queue.push(...message.parts);
  if (!isRetrying) void write();
});
say({ kind: 'ready' });
