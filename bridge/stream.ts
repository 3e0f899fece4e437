import { WebSocket, type RawData } from 'ws';
import { Fault } from '../proto/faults/fault.ts';
import { decodeFrame, encodeFrame, type Frame, type HelloFrame } from '../proto/wire/frames.ts';
import type { Visitor } from './admission.ts';
import type { Batches } from './batches.ts';
import { createReports, type Reports } from './reports.ts';
import type { Services } from './services.ts';
import { createTracks, type Tracks } from './tracks.ts';
import { isAskAllowed, welcomeOf } from './welcome.ts';

/** One open stream. */
export interface Stream {
  readonly visitor: Visitor;
  /** Whether the other side answers a ping in time: a process that was killed does not, a live one does. */
  isAlive(): Promise<boolean>;
  /** Says why in a close frame and ends the stream; repeated calls do nothing. */
  end(reason: Fault, retryAfterMs?: number): void;
  /** Resolves when the stream is over. */
  readonly ended: Promise<void>;
}

/** WebSocket close codes beside those of RFC 6455: 4000 + the HTTP status of the fault. */
const closeCodeBase = 4_000;
const reasonBytesMax = 120;
const closeMsMax = 2_000;

/** Speaks the stream protocol with one admitted gateway until either side has enough. */
export function startStream(
  socket: WebSocket,
  visitor: Visitor,
  services: Services & { readonly batches: Batches },
): Stream {
  const { clock, config, log } = services;
  const over = new AbortController();
  const ended = Promise.withResolvers<void>();
  let isEnding = false;
  let heardAtMs = clock.monotonicMs();
  let session: { readonly tracks: Tracks; readonly reports: Reports } | undefined;

  const end = (reason: Fault, retryAfterMs?: number): void => {
    if (isEnding) return;
    isEnding = true;
    over.abort();
    const { code, detail } = reason;
    const closing = { code, reason: detail, bridgeTimeMs: clock.now() };
    const frame: Frame = { kind: 'close', ...closing, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(frame));
    socket.close(closeCodeBase + reason.status, code.slice(0, reasonBytesMax));
    clock.after(closeMsMax, () => socket.terminate());
  };
  const fail = (error: unknown): void => {
    if (over.signal.aborted) return;
    const isFault = error instanceof Fault;
    if (isFault)
      log.info({ gateway: visitor.identity.id, code: error.code, reason: error.detail }, 'a stream is ended');
    else log.error({ err: error, gateway: visitor.identity.id }, 'a stream failed');
    end(isFault ? error : new Fault('platform.bug'), 1_000);
  };
  const send = (bytes: Uint8Array): Promise<void> => sendWithin(socket, bytes, services);

  const onHello = (hello: HelloFrame): void => {
    const { identity } = visitor;
    isAskAllowed(hello, identity, services.events);
    const reports = createReports(identity.id, hello, services);
    const tracks = createTracks({ hello, identity, services, send });
    session = { tracks, reports };
    const work = async (): Promise<void> => {
      await send(encodeFrame(welcomeOf(identity, hello.protocol, services)));
      await tracks.run(over.signal);
    };
    void work().catch(fail);
  };
  const onFrame = (frame: Frame): void => {
    if (session === undefined) {
      if (frame.kind !== 'hello') throw new Fault('wire.malformed', { detail: 'the first frame is a hello' });
      if (frame.instance !== visitor.instance)
        throw new Fault('wire.malformed', { detail: 'hello.instance: is not the one of the assertion' });
      onHello(frame);
    } else if (frame.kind === 'applied') session.reports.applied(frame);
    else if (frame.kind === 'heartbeat') session.reports.heartbeat(frame.report);
    else if (frame.kind === 'buckets') session.tracks.mend(frame);
    else if (frame.kind === 'close') socket.close(1000);
    else if (frame.kind !== 'ping')
      throw new Fault('wire.malformed', { detail: `a gateway sends no ${frame.kind} frame here` });
  };
  const heard = (): void => void (heardAtMs = clock.monotonicMs());

  socket.on('message', (message: RawData, isBinary: boolean) => {
    heard();
    if (isEnding) return;
    try {
      if (!isBinary) throw new Fault('wire.malformed', { detail: 'frames are binary messages' });
      const frame = decodeFrame(bytesOf(message), config.limits.frameInBytesMax);
      if (frame !== undefined) onFrame(frame);
    } catch (error) {
      fail(error);
    }
  });
  socket.on('pong', heard);
  socket.on('error', (error) => log.debug({ err: error, gateway: visitor.identity.id }, 'stream error'));
  socket.on('close', () => {
    isEnding = true;
    over.abort();
    session?.tracks.close();
    const farewell = session === undefined ? Promise.resolve() : session.reports.close();
    void farewell.finally(() => ended.resolve());
  });

  clock.after(config.limits.helloMsMax, () => {
    if (session === undefined) end(new Fault('request.timeout', { detail: 'no hello came in time' }));
  });
  const keepAlive = (): void => {
    if (over.signal.aborted) return;
    if (clock.monotonicMs() - heardAtMs > config.limits.pingMs * 1.5) return socket.terminate();
    socket.ping();
    socket.send(encodeFrame({ kind: 'ping', atMs: clock.now() }));
    clock.after(config.limits.pingMs, keepAlive);
  };
  clock.after(config.limits.pingMs, keepAlive);

  socket.resume();
  return { visitor, end, ended: ended.promise, isAlive: () => answersPing(socket, services) };
}

/** Sends and waits until the bytes have left for the socket: one frame per stream is in memory, no more. */
async function sendWithin(
  socket: WebSocket,
  bytes: Uint8Array,
  { clock, config }: Pick<Services, 'clock' | 'config'>,
): Promise<void> {
  const sent = Promise.withResolvers<void>();
  const cancel = clock.after(config.limits.sendMsMax, () => {
    socket.terminate();
    sent.reject(new Fault('request.timeout', { detail: 'the gateway takes no bytes' }));
  });
  socket.send(bytes, (error) => {
    if (error === undefined || error === null) sent.resolve();
    else sent.reject(error);
  });
  try {
    await sent.promise;
  } finally {
    cancel();
  }
}

async function answersPing(
  socket: WebSocket,
  { clock, config }: Pick<Services, 'clock' | 'config'>,
): Promise<boolean> {
  if (socket.readyState !== WebSocket.OPEN) return false;
  const answer = Promise.withResolvers<boolean>();
  const onPong = (): void => answer.resolve(true);
  const onClose = (): void => answer.resolve(false);
  const cancel = clock.after(config.limits.aliveMsMax, onClose);
  socket.on('pong', onPong).on('close', onClose);
  socket.ping();
  try {
    return await answer.promise;
  } finally {
    cancel();
    socket.off('pong', onPong).off('close', onClose);
  }
}

function bytesOf(message: RawData): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : message;
}
