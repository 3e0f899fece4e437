import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { readDelimited } from '../../proto/wire/delimited.ts';
import type { HeldEnvironment } from '../../proto/wire/frames.ts';
import { demandForm, strangerAnswered } from './bridge-answer.ts';
import { BridgeRefusal, type BridgeClient } from './bridge-client.ts';
import type { Session } from './session.ts';

/** How a snapshot is fetched; tests shorten it. */
export interface DownloadOptions {
  readonly client: BridgeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Compressed. */
  readonly bytesMax: number;
  /** Each attempt may take so long; a slow line goes on with the rest in the next one. */
  readonly attemptMsMax?: number;
  /** All of them together: whoever gives a little now and then keeps nobody from the stream for ever. */
  readonly msMax?: number;
  /** Decompressed. */
  readonly unpackedBytesMax?: number;
}

const attemptMsDefault = 60_000;
const msDefault = 30 * 60_000;
/** Attempts in a row that brought next to nothing. */
const barrenMax = 3;
const attemptBytesMin = 64 * 1024;

const unpackedBytesDefault = 4 * 1024 ** 3;
/** How many bytes one compressed byte may bring beyond the first MiB. */
const ratioMax = 200;
const ratioFreeBytes = 1024 * 1024;
/** Our bridges use 2 MiB; a stranger's file may not ask for 128 MiB. */
const windowLogMax = 23;

/**
 * Fetches the whole set of one environment as one compressed file and gives its frames to the session as they come:
 * neither the file nor what is in it is ever held whole.
 *
 * A download that breaks off goes on where it was (Range with If-Range), as often as each attempt brings something (64 KiB), for
 * half an hour in all. Errors: outbound.*, wire.*; wire.too_large for a file that unpacks to more than any set has.
 */
export async function takeSnapshot(
  environment: string,
  session: Session,
  options: DownloadOptions,
): Promise<void> {
  const count = { packed: 0, unpacked: 0 };
  await pipeline(
    () => download(`snapshot?environment=${encodeURIComponent(environment)}`, count, options),
    createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: windowLogMax } }),
    async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const frame of readDelimited(bounded(unpacked, count, options))) await session.take(frame);
    },
  );
}

/** Ends a file that unpacks to more than is plausible. */
async function* bounded(
  unpacked: AsyncIterable<Uint8Array>,
  count: { packed: number; unpacked: number },
  { unpackedBytesMax = unpackedBytesDefault }: Pick<DownloadOptions, 'unpackedBytesMax'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of unpacked) {
    count.unpacked += bytes.length;
    if (count.unpacked > unpackedBytesMax || count.unpacked > ratioFreeBytes + count.packed * ratioMax)
      throw new Fault('wire.too_large', {
        detail: `a snapshot of ${count.packed} bytes unpacks to more than ${count.unpacked}`,
      });
    yield bytes;
  }
}

/** The bytes of the file, over as many attempts as it takes. */
async function* download(
  path: string,
  count: { packed: number },
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { client, clock, signal, bytesMax, attemptMsMax = attemptMsDefault } = options;
  const untilMs = clock.monotonicMs() + (options.msMax ?? msDefault);
  let etag: string | undefined;
  for (let barren = 0; ;) {
    const before = count.packed;
    try {
      const isResumed = before > 0;
      const headers: Record<string, string> = isResumed
        ? { range: `bytes=${before}-`, 'if-range': etag ?? '' }
        : {};
      const answer = await client.request(path, {
        headers,
        timeoutMs: Math.max(1, Math.min(attemptMsMax, untilMs - clock.monotonicMs())),
        bodyBytesMax: bytesMax - before,
      });
      await demandForm(answer, { statuses: isResumed ? [200, 206] : [200], type: 'application/zstd' });
      const isRest = answer.headers['content-range']?.startsWith(`bytes ${before}-`) === true;
      if (answer.status === 206 && !isRest) throw strangerAnswered(answer);
      // 200 to a range: the file is another one by now, and its beginning was given away; the stream sends the set.
      if (isResumed && answer.status !== 206)
        throw new Fault('wire.malformed', { detail: 'the snapshot was replaced while it was read' });
      etag = answer.headers['etag'];
      for await (const part of answer.stream) {
        count.packed += part.length;
        yield part;
      }
      return;
    } catch (error) {
      if (error instanceof BridgeRefusal && error.status === 416) return;
      const isOver = error instanceof Fault && error.code.startsWith('wire.');
      // With nothing to go on from, the stream may as well try.
      const hasNothing = count.packed === 0 || etag === undefined;
      if (error instanceof BridgeRefusal || isOver || signal.aborted || hasNothing) throw error;
      barren = count.packed >= before + attemptBytesMin ? 0 : barren + 1;
      if (barren >= barrenMax || clock.monotonicMs() >= untilMs) throw error;
      await clock.delay(200 * (barren + 1), signal);
    }
  }
}

/** One long poll of one environment: waits for a change, at most waitSeconds, and takes its frames. */
export async function takeChanges(
  held: HeldEnvironment,
  session: Session,
  {
    client,
    waitSeconds,
    signal,
  }: { readonly client: BridgeClient; readonly waitSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const query = new URLSearchParams({
    environment: held.environment,
    cursor: `${held.epoch}.${held.seq}`,
    wait: String(waitSeconds),
  });
  const answer = await client.request(`changes?${query.toString()}`, {
    timeoutMs: (waitSeconds + 60) * 1_000,
    signal,
  });
  await demandForm(answer, { statuses: [200], type: 'application/vnd.isthmus.frames' });
  let frames = 0;
  for await (const frame of readDelimited(answer.stream)) {
    frames += 1;
    await session.take(frame);
  }
  // Every poll of a bridge begins with a welcome.
  if (frames === 0) throw strangerAnswered(answer);
}
