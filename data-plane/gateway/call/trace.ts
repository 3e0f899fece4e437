import { randomBytes } from 'node:crypto';
import type { HeaderList } from '../../http/exchange.ts';

/** W3C Trace Context: version 00 exactly, later versions with more behind it; neither id is all zeros. */
const traceParent =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?<more>-.*)?$/;

/**
 * Passes the context of a trace on, and begins one where there is none; returns its trace id.
 *
 * A received context goes on as it came: the gateway writes no span, and a parent that nobody knows would cut the trace in two. One that cannot
 * be read is replaced, and its state goes with it (section 3.3). A new one is marked as sampled, or backends that follow their caller
 * would record nothing.
 */
export function passTrace(headers: HeaderList): string {
  const [received, ...others] = headers.getAll('traceparent');
  const read = received === undefined || others.length > 0 ? null : traceParent.exec(received);
  const [, version, id] = read ?? [];
  if (id !== undefined && (version !== '00' || read?.groups?.['more'] === undefined)) return id;
  const traceId = randomBytes(16).toString('hex');
  headers.set('traceparent', `00-${traceId}-${randomBytes(8).toString('hex')}-01`);
  headers.delete('tracestate');
  return traceId;
}
