import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
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
}

/** Each attempt may take so long; a slow line goes on with the rest in the next one. */
const attemptMsMax = 60_000;
/** Attempts in a row that brought nothing. */
const barrenMax = 3;

/**
 * Fetches the whole set of one environment as one compressed file and gives its frames to the session.
 *
 * A download that breaks off goes on where it was (Range with If-Range), as often as each attempt brings something.
 */
export async function takeSnapshot(
  environment: string,
  session: Session,
  options: DownloadOptions,
): Promise<void> {
  const bytes = await download(`snapshot?environment=${encodeURIComponent(environment)}`, options);
  const frames = Readable.from(bytes).pipe(createZstdDecompress());
  for await (const frame of readDelimited(frames as AsyncIterable<Uint8Array>)) await session.take(frame);
}

async function download(
  path: string,
  { client, clock, signal, bytesMax }: DownloadOptions,
): Promise<readonly Uint8Array[]> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let etag: string | undefined;
  for (let barren = 0; ;) {
    const before = length;
    try {
      const isResumed = length > 0 && etag !== undefined;
      const headers: Record<string, string> = isResumed
        ? { range: `bytes=${length}-`, 'if-range': etag ?? '' }
        : {};
      const answer = await client.request(path, {
        headers,
        timeoutMs: attemptMsMax,
        bodyBytesMax: bytesMax - length,
      });
      await demandForm(answer, { statuses: isResumed ? [200, 206] : [200], type: 'application/zstd' });
      const isRest = answer.headers['content-range']?.startsWith(`bytes ${length}-`) === true;
      if (answer.status === 206 && !isRest) throw strangerAnswered(answer);
      // 200 to a range: the file is another one by now, it begins anew.
      if (answer.status !== 206) {
        parts = [];
        length = 0;
      }
      etag = answer.headers['etag'];
      for await (const part of answer.stream) {
        parts.push(part);
        length += part.length;
      }
      return parts;
    } catch (error) {
      if (error instanceof BridgeRefusal && error.status === 416) return parts;
      // With nothing to go on from, the stream may as well try.
      if (error instanceof BridgeRefusal || signal.aborted || length === 0) throw error;
      barren = length > before ? 0 : barren + 1;
      if (barren >= barrenMax) throw error;
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
