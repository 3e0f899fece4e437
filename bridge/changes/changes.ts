import { Fault } from '../../proto/faults/fault.ts';
import { differingBuckets } from '../../proto/trust/digest.ts';
import { isRecordEntitled } from '../../proto/trust/entitlement.ts';
import type { Frame, HeadFrame } from '../../proto/wire/frames.ts';
import type {
  EnvironmentRef,
  PublishedHead,
  PublishedRepository,
  RecordHeader,
} from '../../proto/wire/published.ts';

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
 * The frames that bring a client from its position to the newest head.
 *
 * Shape:  certificates and an announced head, which bounds the header lines to come; headers; the announced head whose
 *         set they give, which proves them; payloads; the same head again, closing.
 *
 * Records may be published while it reads: rounds follow until a head is reached whose headers and payloads were all
 * sent, so the set that the client gathers is exactly that head's. Returns undefined (and yields no head) while nothing
 * was ever published. Errors: bridge.busy when a restore happened in between or publishing never paused; the client
 * starts over.
 */
export async function* changesSince(
  source: ChangeSource,
  from: Position,
): AsyncGenerator<Frame, Reached | undefined, undefined> {
  const { repository, at } = source;
  const head = await repository.head(at);
  if (head === undefined) return undefined;
  const isFull =
    from.epoch !== head.epoch || from.seq === 0 || from.seq < (await repository.oldestCursor(at));
  return yield* catchUp(source, { head, afterSeq: isFull ? 0 : from.seq, isFull, owed: [] });
}

/** The frames that mend a client whose set does not give the head's digest: the differing buckets, whole. */
export async function* changesOfBuckets(
  source: ChangeSource,
  clientHashes: Uint8Array,
): AsyncGenerator<Frame, Reached | undefined, undefined> {
  const { repository, at } = source;
  const head = await repository.head(at);
  if (head === undefined) return undefined;
  yield* headFrames(source, head, { isAnnounced: true });
  const buckets = differingBuckets(clientHashes, await repository.bucketHashes(at));
  const found = buckets.length === 0 ? [] : await repository.headersInBuckets(at, buckets);
  // What was published since the head was read comes under the next one.
  const headers = found.filter(({ seq }) => seq <= head.seq);
  for (let start = 0; start === 0 || start < headers.length; start += headersPerPage) {
    const page = headers.slice(start, start + headersPerPage);
    const isLast = start + headersPerPage >= headers.length;
    yield { kind: 'bucketHeaders', environment: at.environment, buckets, headers: page, isLast };
  }
  return yield* catchUp(source, { head, afterSeq: head.seq, isFull: false, owed: headers });
}

/** Where catching up begins; `owed` are header lines that were sent and whose payloads were not. */
interface CatchUpStart {
  readonly head: PublishedHead;
  readonly afterSeq: number;
  readonly isFull: boolean;
  readonly owed: readonly RecordHeader[];
}

async function* catchUp(
  source: ChangeSource,
  start: CatchUpStart,
): AsyncGenerator<Frame, Reached, undefined> {
  const { isFull } = start;
  const { environment } = source.at;
  const headersOf = (headers: readonly RecordHeader[]): Frame => ({
    kind: 'headers',
    environment,
    isFull,
    headers,
  });
  let { head, owed } = start;
  const { epoch } = head;
  /** Header lines and payloads were sent up to these. */
  let cursor = start.afterSeq;
  let paid = start.afterSeq;
  for (let round = 0; round < roundsMax; round++) {
    const isBeginning = isFull && round === 0;
    if (cursor < head.seq || isBeginning) {
      yield* headFrames(source, head, { isAnnounced: true });
      // An empty full set must be said too: its headers frame is what clears the client.
      if (isBeginning) yield headersOf([]);
      for await (const headers of headerPages(source, { afterSeq: cursor, uptoSeq: head.seq }))
        yield headersOf(headers);
      cursor = head.seq;
    }
    head = await newestHead(source, epoch);
    if (head.seq > cursor) continue;
    if (paid < cursor || owed.length > 0) {
      yield* headFrames(source, head, { isAnnounced: true });
      for (let first = 0; first < owed.length; first += headersPerPage)
        yield* payloadFrames(source, owed.slice(first, first + headersPerPage));
      // Read once more instead of kept: a large set has more lines than a stream should hold.
      for await (const headers of headerPages(source, { afterSeq: paid, uptoSeq: cursor }))
        yield* payloadFrames(source, headers);
      paid = cursor;
      owed = [];
      // A record that was replaced meanwhile is not sent any more; its successor stands under the next head.
      head = await newestHead(source, epoch);
      if (head.seq > cursor) continue;
    }
    yield* headFrames(source, head);
    return { epoch, seq: head.seq, head: head.bytes };
  }
  throw new Fault('bridge.busy', { internal: `publishing outran ${roundsMax} rounds` });
}

async function newestHead({ repository, at }: ChangeSource, epoch: number): Promise<PublishedHead> {
  const newest = await repository.head(at);
  if (newest === undefined || newest.epoch !== epoch)
    throw new Fault('bridge.busy', { internal: 'the epoch changed while a set was read' });
  return newest;
}

/** A head behind its certificates, read after it: a key that has just been rotated in has its certificate by now. */
async function* headFrames(
  { repository, at: { organization, environment } }: ChangeSource,
  head: PublishedHead,
  announced: Pick<HeadFrame, 'isAnnounced'> = {},
): AsyncGenerator<Frame, void, undefined> {
  const certificates = await repository.certificates({ organization, environment });
  yield { kind: 'certificates', environment, certificates };
  yield { kind: 'head', environment, head: head.bytes, ...announced };
}

/** The header lines of a span of seqs, page by page; one replaced meanwhile stands beyond the span. */
async function* headerPages(
  { repository, at }: ChangeSource,
  { afterSeq, uptoSeq }: { readonly afterSeq: number; readonly uptoSeq: number },
): AsyncGenerator<readonly RecordHeader[], void, undefined> {
  let cursor = afterSeq;
  for (let hasMore = true; hasMore && cursor < uptoSeq;) {
    const page = await repository.headersAfter(at, cursor, headersPerPage);
    const headers = page.headers.filter(({ seq }) => seq <= uptoSeq);
    if (headers.length > 0) yield headers;
    cursor = page.headers.at(-1)?.seq ?? uptoSeq;
    hasMore = page.hasMore;
  }
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
