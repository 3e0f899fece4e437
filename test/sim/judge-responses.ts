import type { ResponseCase } from './cases.ts';
import type { Heard } from './conversations.ts';
import { failureHeader, hostileReadMsMax, type CountedExchange } from './gateway.ts';
import type { Finding } from './judge-requests.ts';
import { tokensOf, type Field } from './strict-message.ts';
import { readResponse, type ResponseReading, type StrictResponse } from './strict-response.ts';

/** All that is known about one hostile answer after the client's connection ended. */
export interface ResponseFacts {
  readonly case: ResponseCase;
  readonly exchanges: readonly CountedExchange[];
  readonly heard: Heard;
  /** How often the upstream saw the request. */
  readonly asked: number;
  /** When the upstream had written its answer; undefined when it had not. */
  readonly writtenMs: number | undefined;
}

/** Judges what the client got against the strict reading of what the upstream sent. */
export function judgeResponse(facts: ResponseFacts): Finding | undefined {
  const { heard, exchanges, asked } = facts;
  const { method, version, input, ending } = facts.case;
  if (heard.endedBy === 'hung') return { rule: 'hang', detail: `heard ${text(heard.bytes)}` };
  const [exchange] = exchanges;
  if (exchange === undefined || exchanges.length > 1)
    return { rule: 'not one exchange', detail: String(exchanges.length) };
  if (exchange.outcomes !== 1)
    return { rule: 'beforeEnd was not called once', detail: `${exchange.outcomes} times` };
  if (asked > (method === 'POST' ? 1 : 2))
    return { rule: 'asked too often', detail: `${method} ${asked} times` };
  const sent = readResponse(input, 0, {
    method,
    ending: ending === 'keep' ? 'open' : ending,
    blankBeforeColon: 'removed',
  });
  const got = readResponse(heard.bytes, 0, { method, ending: heard.endedBy === 'fin' ? 'fin' : 'reset' });
  if (got.kind === 'ambiguous')
    return { rule: 'an answer with two readings', detail: `${got.reason}: ${text(heard.bytes)}` };
  if (got.kind === 'complete') {
    if (got.end < heard.bytes.length) return { rule: 'bytes after the answer', detail: text(heard.bytes) };
    if (version === '1.0' && got.response.framing === 'chunked')
      return { rule: 'chunks for HTTP/1.0', detail: text(heard.bytes) };
    if (got.strange !== undefined && got.strange.endsWith('without a body'))
      return { rule: 'a length with two readings sent on', detail: text(heard.bytes) };
    if (!isOwn(got.response)) return judgeComplete(sent, got.response, exchange);
  }
  if (got.kind === 'incomplete' && exchange.outcome?.kind === 'complete' && exchange.outcome.status !== 0)
    return { rule: 'a broken answer counted as complete', detail: text(heard.bytes) };
  // An upstream may close a kept connection in the moment in which it is used again (RFC 9112 section 9.3.1); what is not
  // safe to repeat is then not repeated, although this upstream never saw it.
  if (asked === 0 && method === 'POST' && (exchange.failure === 'closed' || exchange.failure === 'reset'))
    return undefined;
  // This machine was so slow that the answer, or a piece of it, was late.
  const isTimeout = exchange.failure === 'readTimeout' || exchange.outcome?.kind === 'upstreamAborted';
  if (isTimeout && isLate(facts, exchange)) return undefined;
  // The answer was refused or broken: right for everything but a plain whole one.
  if (sent.kind === 'complete' && sent.strange === undefined && ending !== 'reset')
    return {
      rule: 'a good answer lost',
      detail: `${exchange.failure ?? exchange.outcome?.kind}: ${text(heard.bytes)}`,
    };
  return undefined;
}

function isLate({ writtenMs }: ResponseFacts, exchange: CountedExchange): boolean {
  return writtenMs === undefined || writtenMs - exchange.startedMs > hostileReadMsMax / 2;
}

function isOwn(response: StrictResponse): boolean {
  return (
    response.status === 502 &&
    response.fields.some(({ lowerName }) => lowerName === failureHeader.toLowerCase())
  );
}

// Framing and what belongs to one connection, and what a gateway may add.
const ownNames: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
  'te',
  'upgrade',
  'content-length',
  'date',
  'expect',
  'http2-settings',
]);

function judgeComplete(
  sent: ResponseReading,
  got: StrictResponse,
  exchange: CountedExchange,
): Finding | undefined {
  if (sent.kind === 'incomplete')
    return { rule: 'a truncated answer seen as complete', detail: JSON.stringify(got) };
  if (sent.kind === 'ambiguous')
    return { rule: 'an ambiguous answer forwarded', detail: `${sent.reason}: ${JSON.stringify(got)}` };
  const { response } = sent;
  if (exchange.outcome?.kind !== 'complete')
    return { rule: 'a complete answer counted as broken', detail: JSON.stringify(exchange.outcome) };
  if (got.status !== response.status || (response.reason !== '' && got.reason !== response.reason))
    return {
      rule: 'another status',
      detail: `${response.status} ${response.reason} became ${got.status} ${got.reason}`,
    };
  if (got.body !== response.body)
    return {
      rule: 'another body',
      detail: `${JSON.stringify(response.body)} became ${JSON.stringify(got.body)}`,
    };
  const named = new Set(tokensOf(response.fields, 'connection'));
  const listed = (fields: readonly Field[]): string =>
    fields
      .filter(({ lowerName }) => !ownNames.has(lowerName) && !named.has(lowerName))
      .map(({ name, value }) => `${name}: ${value}`)
      .join('\n');
  if (listed(got.fields) !== listed(response.fields))
    return {
      rule: 'other fields',
      detail: `${JSON.stringify(listed(response.fields))} became ${JSON.stringify(listed(got.fields))}`,
    };
  if (got.trailers.length > 0 && listed(got.trailers) !== listed(response.trailers))
    return { rule: 'other trailers', detail: JSON.stringify(got.trailers) };
  return undefined;
}

function text(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1', 0, 600));
}
