import { WebSocket } from 'ws';
import { Fault } from '../../proto/faults/fault.ts';
import { encodeFrame } from '../../proto/wire/frames.ts';
import type { Services } from '../services.ts';

/** WebSocket close codes beside those of RFC 6455: 4000 + the HTTP status of the fault. */
const closeCodeBase = 4_000;
const reasonBytesMax = 120;
const closeMsMax = 2_000;

/**
 * Sends and waits until the bytes have left for the socket: one frame per stream is in memory, no more.
 *
 * Errors: request.timeout for a gateway that takes nothing, request.broken_off for one that has left.
 */
export async function sendWithin(
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
    // It has left, or hangs up: whoever reads the log need not look after that.
    else sent.reject(new Fault('request.broken_off', { detail: 'the gateway has left', cause: error }));
  });
  try {
    await sent.promise;
  } finally {
    cancel();
  }
}

/** Whether the other side answers a ping in time: a process that was killed does not, a live one does. */
export async function answersPing(
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

/** Ends a stream: the reason as a close frame, then the WebSocket's own close, then patience has an end. */
export function sayGoodbye(
  socket: WebSocket,
  reason: { readonly fault: Fault; readonly retryAfterMs?: number | undefined },
  { clock }: Pick<Services, 'clock'>,
): void {
  const { code, detail, status } = reason.fault;
  const { retryAfterMs } = reason;
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(
      encodeFrame({
        kind: 'close',
        code,
        reason: detail,
        bridgeTimeMs: clock.now(),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
    );
  }
  socket.close(closeCodeBase + status, code.slice(0, reasonBytesMax));
  clock.after(closeMsMax, () => socket.terminate());
}

/** Pings until the signal aborts, and gives the socket up after 1.5 times of silence. */
export function keepAlive(
  socket: WebSocket,
  services: Pick<Services, 'clock' | 'config'>,
  signal: AbortSignal,
): void {
  const { clock, config } = services;
  const { pingEveryMs } = config.limits;
  let heardAtMs = clock.monotonicMs();
  const heard = (): void => void (heardAtMs = clock.monotonicMs());
  socket.on('message', heard).on('pong', heard);
  const beat = (): void => {
    if (signal.aborted) return;
    if (clock.monotonicMs() - heardAtMs > pingEveryMs * 1.5) return socket.terminate();
    socket.ping();
    // Whoever speaks and takes nothing is let go, or what waits for him would grow by each of these.
    sendWithin(socket, encodeFrame({ kind: 'ping', atMs: clock.now() }), services).catch(() => undefined);
    clock.after(pingEveryMs, beat);
  };
  clock.after(pingEveryMs, beat);
}
