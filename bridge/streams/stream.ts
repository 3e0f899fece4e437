import type { RawData, WebSocket } from 'ws';
import { Fault } from '../../proto/faults/fault.ts';
import { bytesOf, readInTime } from '../../proto/process/web-socket-reading.ts';
import { decodeFrame, encodeFrame, type Frame, type HelloFrame } from '../../proto/wire/frames.ts';
import type { Visitor } from '../admission/admission.ts';
import type { Batches } from '../changes/batches.ts';
import { createReports, type Reports } from './reports.ts';
import type { Services } from '../services.ts';
import { answersPing, keepAlive, sayGoodbye, sendWithin } from './stream-socket.ts';
import { createTracks, type Tracks } from './tracks.ts';
import { isAskAllowed, welcomeOf } from './welcome.ts';

/** A frame counts once more for each of these. */
export const frameCostBytes = 16 * 1024;

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
  let session: Session | undefined;

  const end = (reason: Fault, retryAfterMs?: number): void => {
    if (isEnding) return;
    isEnding = true;
    over.abort();
    sayGoodbye(socket, { fault: reason, retryAfterMs }, services);
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
    const reports = createReports(identity, hello, services);
    const tracks = createTracks({ hello, identity, services, send });
    session = { tracks, reports };
    send(encodeFrame(welcomeOf(identity, hello.protocol, services)))
      .then(() => tracks.run(over.signal))
      .catch(fail);
  };
  const onFrame = (frame: Frame): void => {
    if (session !== undefined) return takeFrame(frame, session, socket);
    if (frame.kind !== 'hello') throw new Fault('wire.malformed', { detail: 'the first frame is a hello' });
    if (frame.instance !== visitor.instance)
      throw new Fault('wire.malformed', { detail: 'hello.instance: is not the one of the assertion' });
    onHello(frame);
  };
  const onMessage = (message: RawData, isBinary: boolean): void => {
    if (isEnding) return;
    try {
      if (!isBinary) throw new Fault('wire.malformed', { detail: 'frames are binary messages' });
      const frame = decodeFrame(bytesOf(message), config.limits.frameInBytesMax);
      if (frame !== undefined) onFrame(frame);
    } catch (error) {
      fail(error);
    }
  };
  readInTime(socket, { framesPerSecondMax: config.limits.framesInPerSecondMax, frameCostBytes, clock });
  socket.on('message', onMessage);
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
  keepAlive(socket, services, over.signal);
  socket.resume();
  return { visitor, end, ended: ended.promise, isAlive: () => answersPing(socket, services) };
}

/** What there is once the hello has come. */
interface Session {
  readonly tracks: Tracks;
  readonly reports: Reports;
}

function takeFrame(frame: Frame, { tracks, reports }: Session, socket: WebSocket): void {
  if (frame.kind === 'applied') reports.applied(frame);
  else if (frame.kind === 'heartbeat') reports.heartbeat(frame.report);
  else if (frame.kind === 'buckets') tracks.mend(frame);
  else if (frame.kind === 'close') socket.close(1000);
  else if (frame.kind !== 'ping')
    throw new Fault('wire.malformed', { detail: `a gateway sends no ${frame.kind} frame here` });
}
