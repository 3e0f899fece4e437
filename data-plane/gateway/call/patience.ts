import { isGrpc } from '../../http/exchange.ts';
import type { Call } from './call.ts';

/**
 * Whether a call waits on whose deadline has passed; then it will hear of it again.
 *
 * The limit is for a backend that is silent while nobody sends. Over HTTP/2 a call may be a conversation in which the caller speaks for as
 * long as it likes before a head comes: the limit does not run while the backend hears it, and begins with the last byte. A caller of gRPC
 * may pause as well, for `tunnelIdleMsMax`; any other has to have sent something since the last look. What waits for a policy has no such
 * right.
 */
export function waitsOn(call: Call): boolean {
  const ms = patienceMs(call);
  if (ms > 0) call.options.deadlines.again(call, ms);
  return ms > 0;
}

function patienceMs(call: Call): number {
  const { exchange, options } = call;
  const { upload, marks, request } = exchange;
  const isAtBackend = marks.upstreamStartUs !== 0 && marks.upstreamHeadUs === 0;
  if (call.isOver || upload === undefined || !isAtBackend) return 0;
  const { afterMs } = options.deadlines;
  if (!upload.isOpen) return Math.max(0, afterMs - (exchange.elapsedUs() - upload.endedUs) / 1_000);
  const hasMoved = upload.bytes !== call.uploadedBytes;
  call.uploadedBytes = upload.bytes;
  return hasMoved || isGrpc(request, request.headers) ? afterMs : 0;
}
