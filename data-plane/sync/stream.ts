import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../proto/process/clock.ts';
import type { Outbound } from '../../proto/process/outbound/outbound.ts';
import { readInTime } from '../../proto/process/web-socket-reading.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../proto/wire/frames.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import { SessionEnd, type Session } from './session.ts';

type Socket = Awaited<ReturnType<Outbound['webSocket']>>;

/** What runs over one socket. */
export interface StreamOptions {
  readonly socket: Socket;
  readonly session: Session;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A frame that cannot be decoded. */
  readonly onMalformed: (detail: string) => void;
}

/** Frames that wait to be taken, and their bytes, before the socket is asked to pause, and to go on. */
const queuedMax = 32;
const queuedMin = 8;
const queuedBytesMax = 2 * 1024 * 1024;
const queuedBytesMin = 512 * 1024;
/**
 * Frames a second that are read; an honest bridge sends few and large ones. Their bytes are bounded by what heads prove, so they
 * count nothing here.
 */
const framesPerSecondMax = 2_000;
/** Callers have their turn after so many frames. */
const framesPerTurn = 32;
/** Until the welcome says how often the bridge speaks. */
const welcomeMsMax = 15_000;
const silenceFactor = 1.5;
/** A bridge must not talk its gateways into waiting for ever. */
const silenceMsCap = 5 * 60_000;

/** A bridge that takes no bytes for so long is given up. */
const sendMsMax = 30_000;

/**
 * Sends one frame, if the socket is still open, and waits until it has left: what is said to a bridge that asks and asks and
 * reads nothing must not pile up here, so the next of its frames is taken only then.
 *
 * Errors: SessionEnd `sync.silent` when nothing leaves.
 */
export async function sendFrame(socket: Socket, frame: Frame, clock: Pick<Clock, 'after'>): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  const left = Promise.withResolvers<void>();
  const cancel = clock.after(sendMsMax, () => {
    socket.terminate();
    left.reject(new SessionEnd('sync.silent', `the bridge took no bytes for ${sendMsMax} ms`));
  });
  // A socket that ends says so by itself.
  socket.send(encodeFrame(frame), () => left.resolve());
  try {
    await left.promise;
  } finally {
    cancel();
  }
}

/**
 * Takes the frames of one socket, one after another, until it ends; always rejects, with why.
 *
 * A large change takes a while to store and compile: the socket pauses meanwhile, so that nothing piles up here. A
 * bridge that says nothing for 1.5 times its ping is given up, because a cut line says nothing at all.
 */
export async function runStream(options: StreamOptions): Promise<never> {
  const { socket, session, clock, signal } = options;
  const over = Promise.withResolvers<never>();
  const queue: Uint8Array[] = [];
  const reading = readInTime(socket, { framesPerSecondMax, frameCostBytes: Infinity, clock });
  let queuedBytes = 0;
  let taken = 0;
  let taking: Promise<void> | undefined;
  let silenceMsMax = welcomeMsMax;
  let cancelSilence = (): void => undefined;
  const heard = (): void => {
    cancelSilence();
    cancelSilence = clock.after(silenceMsMax, () =>
      over.reject(new SessionEnd('sync.silent', `nothing was heard for ${silenceMsMax} ms`)),
    );
  };
  const takeAll = async (): Promise<void> => {
    for (let bytes = queue.shift(); bytes !== undefined; bytes = queue.shift()) {
      queuedBytes -= bytes.length;
      const frame = decode(bytes, options);
      if (frame?.kind === 'welcome')
        silenceMsMax = Math.min(Math.max(1_000, frame.pingMs * silenceFactor), silenceMsCap);
      if (frame !== undefined) await session.take(frame);
      const hasRoom = queue.length <= queuedMin && queuedBytes <= queuedBytesMin;
      if (hasRoom) reading.release();
      // While we were busy the socket was not read: only silence that we could hear counts.
      heard();
      if ((taken += 1) % framesPerTurn === 0) await setImmediate();
    }
    taking = undefined;
  };
  const onMessage = (message: unknown): void => {
    heard();
    const bytes = toBytes(message);
    queue.push(bytes);
    queuedBytes += bytes.length;
    const isFull = queue.length >= queuedMax || queuedBytes >= queuedBytesMax;
    if (isFull) reading.hold();
    if (taking !== undefined) return;
    taking = takeAll();
    taking.catch(over.reject);
  };
  const onClose = (code: number, reason: Buffer): void => {
    const end = new SessionEnd('sync.disconnected', `the stream was closed: ${code} ${reason.toString()}`);
    // Frames before the end may still wait, the close frame among them; it says more than the socket.
    void (taking ?? Promise.resolve()).then(() => over.reject(end), over.reject);
  };
  const onAbort = (): void => over.reject(signal.reason);

  socket.on('message', onMessage);
  socket.on('close', onClose);
  socket.on('error', (error: Error) => over.reject(new SessionEnd('sync.disconnected', error.message)));
  socket.on('ping', heard);
  signal.addEventListener('abort', onAbort, { once: true });
  heard();
  if (socket.readyState !== socket.OPEN) onClose(1006, Buffer.from('closed at once'));
  try {
    return await over.promise;
  } finally {
    cancelSilence();
    signal.removeEventListener('abort', onAbort);
    socket.off('message', onMessage);
    reading.release();
    socket.close(1000);
    clock.after(1_000, () => socket.terminate());
    // What is being taken is taken to its end before another connection gives frames to the same environments.
    queue.length = 0;
    await taking?.catch(() => undefined);
  }
}

function decode(bytes: Uint8Array, { onMalformed }: StreamOptions): Frame | undefined {
  try {
    return decodeFrame(bytes, wireLimits.frameBytesMax);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    onMalformed(detail);
    throw new SessionEnd('sync.refused', detail);
  }
}

function toBytes(message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message;
  if (Array.isArray(message)) return Buffer.concat(message as Uint8Array[]);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : new Uint8Array();
}
