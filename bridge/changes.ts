import { Fault } from '../proto/faults/fault.ts';
import { differingBuckets } from '../proto/trust/digest.ts';
import { isRecordEntitled } from '../proto/trust/entitlement.ts';
import type { Frame } from '../proto/wire/frames.ts';
import type {
  EnvironmentRef,
  PublishedHead,
  PublishedRepository,
  RecordHeader,
} from '../proto/wire/published.ts';

/** What a client holds of an environment; epoch 0 and seq 0 when nothing. */
export interface Position {
  readonly epoch: number;
  readonly seq: number;
}

/** Whose payloads are sent; headers go to everybody. */
export interface Entitlement {
  readonly fleet: string;
  readonly tags: readonly string[];
}

/** Where the frames of one environment come from, and for whom. */
export interface ChangeSource {
  readonly repository: PublishedRepository;
  readonly at: EnvironmentRef;
  readonly entitlement: Entitlement;
}

/** The head that a batch of frames ended with. */
export interface Reached extends Position {
  readonly head: Uint8Array;
}

const headersPerPage = 2_000;
const payloadFrameBytes = 1024 * 1024;
/** Each round covers what was published during the one before, so a handful is plenty. */
const roundsMax = 100;

/**
 * The frames that bring a client from its position to the newest head: certificates, headers, payloads, head.
 *
 * Records may be published while it reads: rounds follow until a head is reached whose headers were all sent, so the
 * set that the client gathers is exactly that head's. Returns undefined (and yields no head) while nothing was ever
 * published. Errors: bridge.busy when a restore happened in between or publishing never paused; the client starts over.
 */
export async function* changesSince(
  source: ChangeSource,
  from: Position,
): AsyncGenerator<Frame, Reached | undefined, undefined> {
  const { repository, at } = source;
  const head = await repository.head(at);
  if (head === undefined) return undefined;
  const certificates = await repository.certificates(at);
  yield { kind: 'certificates', environment: at.environment, certificates };
  const isFull =
    from.epoch !== head.epoch || from.seq === 0 || from.seq < (await repository.oldestCursor(at));
  // An empty full set must be said too: its headers frame is what clears the client.
  if (isFull) yield { kind: 'headers', environment: at.environment, isFull: true, headers: [] };
  return yield* catchUp(source, { head, afterSeq: isFull ? 0 : from.seq, isFull });
}

/** The frames that mend a client whose set does not give the head's digest: the differing buckets, whole. */
export async function* changesOfBuckets(
  source: ChangeSource,
  clientHashes: Uint8Array,
): AsyncGenerator<Frame, Reached | undefined, undefined> {
  const { repository, at } = source;
  const head = await repository.head(at);
  if (head === undefined) return undefined;
  const buckets = differingBuckets(clientHashes, await repository.bucketHashes(at));
  const headers = buckets.length === 0 ? [] : await repository.headersInBuckets(at, buckets);
  for (let start = 0; start === 0 || start < headers.length; start += headersPerPage) {
    const page = headers.slice(start, start + headersPerPage);
    const isLast = start + headersPerPage >= headers.length;
    yield { kind: 'bucketHeaders', environment: at.environment, buckets, headers: page, isLast };
  }
  for (let start = 0; start < headers.length; start += headersPerPage)
    yield* payloadFrames(source, headers.slice(start, start + headersPerPage));
  return yield* catchUp(source, { head, afterSeq: head.seq, isFull: false });
}

async function* catchUp(
  source: ChangeSource,
  start: { readonly head: PublishedHead; readonly afterSeq: number; readonly isFull: boolean },
): AsyncGenerator<Frame, Reached, undefined> {
  const { repository, at } = source;
  const { epoch } = start.head;
  let { head } = start;
  let cursor = start.afterSeq;
  for (let round = 0; round < roundsMax; round++) {
    if (cursor < head.seq) {
      const lastSeq = yield* headerFrames(source, cursor, start.isFull);
      cursor = Math.max(head.seq, lastSeq);
    }
    const newest = await repository.head(at);
    if (newest === undefined || newest.epoch !== epoch)
      throw new Fault('bridge.busy', { internal: 'the epoch changed while a set was read' });
    head = newest;
    if (head.seq <= cursor) {
      // Read after the head: a key that has just been rotated in has its certificate by now.
      const certificates = await repository.certificates(at);
      yield { kind: 'certificates', environment: at.environment, certificates };
      yield { kind: 'head', environment: at.environment, head: head.bytes };
      return { epoch, seq: head.seq, head: head.bytes };
    }
  }
  throw new Fault('bridge.busy', { internal: `publishing outran ${roundsMax} rounds` });
}

/** Headers and payloads after a cursor; returns the seq of the last header. */
async function* headerFrames(
  source: ChangeSource,
  afterSeq: number,
  isFull: boolean,
): AsyncGenerator<Frame, number, undefined> {
  const { repository, at } = source;
  let cursor = afterSeq;
  for (let hasMore = true; hasMore;) {
    const page = await repository.headersAfter(at, cursor, headersPerPage);
    const last = page.headers.at(-1);
    if (last === undefined) return cursor;
    yield { kind: 'headers', environment: at.environment, isFull, headers: page.headers };
    yield* payloadFrames(source, page.headers);
    cursor = last.seq;
    hasMore = page.hasMore;
  }
  return cursor;
}

async function* payloadFrames(
  source: ChangeSource,
  headers: readonly RecordHeader[],
): AsyncGenerator<Frame, void, undefined> {
  const { repository, at, entitlement } = source;
  const entitled = headers.filter((header) => !header.isDeleted && isRecordEntitled(entitlement, header));
  // Small steps: a definition may have megabytes, and a page of them must not stand in memory at once.
  const step = 100;
  for (let start = 0; start < entitled.length; start += step) {
    let records: Uint8Array[] = [];
    let bytes = 0;
    for (const record of await repository.payloads(at, entitled.slice(start, start + step))) {
      if (bytes > 0 && bytes + record.bytes.length > payloadFrameBytes) {
        yield { kind: 'payloads', environment: at.environment, records };
        records = [];
        bytes = 0;
      }
      records.push(record.bytes);
      bytes += record.bytes.length;
    }
    if (records.length > 0) yield { kind: 'payloads', environment: at.environment, records };
  }
}
