import type { RequestCase } from './cases.ts';
import { idHeader, type CheckingUpstream } from './checking-upstream.ts';
import type { Heard } from './conversations.ts';
import { failureHeader, type CountedExchange } from './gateway.ts';
import { tokensOf, valuesOf } from './strict-message.ts';
import { readStream, type StreamReading, type StrictRequest } from './strict-request.ts';
import { readResponse, type StrictResponse } from './strict-response.ts';

/** A promise that did not hold: which one, in words that stay the same while a case is made smaller, and the particulars. */
export interface Finding {
  readonly rule: string;
  readonly detail: string;
}

/** All that is known about one case after it ended. */
export interface RequestFacts {
  readonly case: RequestCase;
  readonly reading: StreamReading;
  readonly exchanges: readonly CountedExchange[];
  readonly heard: Heard;
}

/** Puts the facts of a case together; the reading is the strict reader's of the client's own bytes. */
export function requestFacts(
  fuzzCase: RequestCase,
  exchanges: readonly CountedExchange[],
  heard: Heard,
): RequestFacts {
  return { case: fuzzCase, reading: readStream(fuzzCase.input), exchanges, heard };
}

/** Whether the upstream may have seen only a part of that exchange, or nothing: then any count up to one is right. */
export function isPartial(facts: RequestFacts, index: number): boolean {
  const outcome = facts.exchanges[index]?.outcome;
  if (outcome?.kind !== 'complete') return true;
  // A body that the client never finished; the upstream may have answered all the same.
  if (index >= facts.reading.requests.length) return true;
  // The client broke off: bytes that were on their way may never have been read.
  return facts.case.ending !== 'wait' && index === facts.exchanges.length - 1;
}

/** Judges the client's side of a case and what the engine counted; undefined when all promises held. */
export function judgeRequest(facts: RequestFacts): Finding | undefined {
  return judgeEnd(facts) ?? judgeCount(facts) ?? judgeFailures(facts) ?? judgeAnswers(facts);
}

/** A sound request gets an answer: the upstreams of this side refuse nothing and are always there. */
function judgeFailures(facts: RequestFacts): Finding | undefined {
  const index = facts.exchanges.findIndex(
    (exchange, at) => exchange.failure !== undefined && !isPartial(facts, at),
  );
  if (index === -1) return undefined;
  const { upstream, failure } = facts.exchanges[index] ?? {};
  return { rule: `no answer from ${upstream}: ${failure}`, detail: describe(facts) };
}

function judgeEnd({ heard, exchanges }: RequestFacts): Finding | undefined {
  if (heard.endedBy === 'hung')
    return { rule: 'hang', detail: `heard ${JSON.stringify(heard.bytes.toString('latin1'))}` };
  const wrong = exchanges.find((exchange) => exchange.outcomes !== 1);
  if (wrong === undefined) return undefined;
  return {
    rule: 'beforeEnd was not called once',
    detail: `${wrong.outcomes} times for ${wrong.method} ${wrong.target}`,
  };
}

/** What the engine took for requests is what the strict reader takes for requests, as far as that one can tell. */
function judgeCount({ reading, exchanges }: RequestFacts): Finding | undefined {
  const most = reading.requests.length + (reading.tailHead === undefined ? 0 : 1);
  if (exchanges.length > most)
    return {
      rule: 'more exchanges than requests',
      detail: `${exchanges.length} counted, ${reading.requests.length} read, then ${reading.tail} ${reading.reason ?? ''}`,
    };
  for (const [index, exchange] of exchanges.entries()) {
    const head = reading.requests[index] ?? reading.tailHead;
    if (head === undefined) break;
    if (head.method !== exchange.method || head.version !== exchange.version)
      return {
        rule: 'another request line',
        detail: `${head.method} HTTP/${head.version} became ${exchange.method} HTTP/${exchange.version}`,
      };
    // What `Connection` names is gone before anybody reads it; of Host and framing it cannot dispose.
    const named = new Set(tokensOf(head.fields, 'connection'));
    const sent = head.fields
      .filter(({ lowerName }) => !named.has(lowerName))
      .map((field) => `${field.name}: ${field.value}`);
    const kept = exchange.fields.filter(([name]) => !named.has(name.toLowerCase()));
    const taken = kept.map(([name, value]) => `${name}: ${value}`);
    const extra = exchange.fields.find(
      ([name]) =>
        named.has(name.toLowerCase()) && name.toLowerCase() !== 'host' && !ownNames.has(name.toLowerCase()),
    );
    if (extra !== undefined) return { rule: 'a field that Connection names read', detail: extra.join(': ') };
    if (sent.join('\n') !== taken.join('\n'))
      return { rule: 'other fields', detail: `${JSON.stringify(sent)} became ${JSON.stringify(taken)}` };
  }
  return undefined;
}

/** What the client hears is well-formed, belongs to its own exchanges in order, and a refusal is said and closes. */
function judgeAnswers(facts: RequestFacts): Finding | undefined {
  const { exchanges, heard, reading } = facts;
  if (facts.case.ending === 'reset') return undefined;
  let at = 0;
  let last: StrictResponse | undefined;
  let hasRefusal = false;
  let answered = 0;
  while (at < heard.bytes.length) {
    const exchange = exchanges[answered];
    const found = readAnswer(facts, at, exchange);
    if (found.kind === 'ambiguous')
      return { rule: 'an answer with two readings', detail: `${found.reason} in ${quote(heard.bytes, at)}` };
    if (found.kind === 'incomplete') break;
    if (hasRefusal) return { rule: 'an answer after a refusal', detail: quote(heard.bytes, at) };
    last = found.response;
    at = found.end;
    const wrong = judgeAnswer(found.response, exchange);
    if (wrong !== undefined) return wrong;
    if (isOwn(found.response)) hasRefusal = true;
    else answered += 1;
  }
  if (facts.case.ending !== 'wait') return undefined;
  if (at < heard.bytes.length && heard.endedBy === 'fin' && !endsAbruptly(facts))
    return { rule: 'an answer that never ends', detail: quote(heard.bytes, at) };
  if (hasRefusal) return undefined;
  const complete = exchanges.filter((_, index) => !isPartial(facts, index)).length;
  if (answered < complete)
    return { rule: 'an answer lost', detail: `${complete} complete, ${answered} heard: ${describe(facts)}` };
  const announcedEnd = last !== undefined && tokensOf(last.fields, 'connection').includes('close');
  if (announcedEnd || endsAbruptly(facts)) return undefined;
  if (exchanges.length < reading.requests.length && exchanges[exchanges.length - 1]?.version !== '1.0')
    return {
      rule: 'a request swallowed',
      detail: `${reading.requests.length} read, ${exchanges.length} counted, no refusal`,
    };
  if (!heard.hasHalfClosed && reading.tail === 'ambiguous')
    return {
      rule: 'refused without a word',
      detail: `${reading.reason ?? ''}; heard ${JSON.stringify(heard.bytes.toString('latin1'))}`,
    };
  return undefined;
}

function readAnswer(
  { heard, case: { input } }: RequestFacts,
  at: number,
  exchange: CountedExchange | undefined,
) {
  const ending = heard.endedBy === 'fin' ? 'fin' : 'reset';
  const found = readResponse(heard.bytes, at, { method: exchange?.method ?? 'GET', ending });
  if (exchange !== undefined || found.kind !== 'incomplete' || !input.includes('HEAD')) return found;
  // A refused HEAD may be answered as HEAD is, without the body that its length announces.
  return readResponse(heard.bytes, at, { method: 'HEAD', ending });
}

/** An answer that no upstream sent and the gateway's own code neither: the engine refused. */
function isOwn(response: StrictResponse): boolean {
  return response.fields.every(
    ({ lowerName }) => lowerName !== idHeader.toLowerCase() && lowerName !== failureHeader.toLowerCase(),
  );
}

function judgeAnswer(response: StrictResponse, exchange: CountedExchange | undefined): Finding | undefined {
  if (isOwn(response))
    return response.status >= 400
      ? undefined
      : { rule: 'an answer out of nowhere', detail: JSON.stringify(response) };
  if (exchange === undefined)
    return { rule: 'an answer without an exchange', detail: JSON.stringify(response) };
  const [id] = valuesOf(response.fields, idHeader.toLowerCase());
  if (id !== undefined && id !== exchange.id)
    return { rule: "another exchange's answer", detail: `${id} for ${exchange.id}` };
  if (exchange.version === '1.0' && response.framing === 'chunked')
    return { rule: 'chunks for HTTP/1.0', detail: JSON.stringify(response) };
  return undefined;
}

/** The client's last body broke its framing after the head was forwarded: a reset is as good as a refusal. */
function endsAbruptly({ reading, exchanges }: RequestFacts): boolean {
  return reading.tailHead !== undefined && exchanges.length === reading.requests.length + 1;
}

// Framing and what belongs to one connection (RFC 9110 section 7.6.1), besides what the gateway of the fuzz adds.
const ownNames: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'http2-settings',
  'host',
  idHeader.toLowerCase(),
]);

/** Judges what the strict server saw of a case that went to it: each whole exchange once, with the client's bytes. */
export function judgeSeen(facts: RequestFacts, upstream: CheckingUpstream): Finding | undefined {
  for (const [index, exchange] of facts.exchanges.entries()) {
    if (exchange.upstream !== 'checker') continue;
    const seen = upstream.seen.get(exchange.id) ?? [];
    const partial = isPartial(facts, index);
    if (seen.length > 1 || (!partial && seen.length !== 1))
      return {
        rule: 'not seen once',
        detail: `${exchange.method} ${exchange.target} was seen ${seen.length} times`,
      };
    const [request] = seen;
    const read = facts.reading.requests[index];
    if (request === undefined) continue;
    if (read === undefined) {
      // A body without an end became one with an end: the upstream acts on what the client never said.
      return { rule: 'an unfinished request became whole', detail: JSON.stringify(request) };
    }
    const wrong = judgeForwarded(exchange, read, request);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function judgeForwarded(
  exchange: CountedExchange,
  read: StrictRequest,
  seen: StrictRequest,
): Finding | undefined {
  if (seen.method !== exchange.method || seen.target !== exchange.target)
    return {
      rule: 'another request line forwarded',
      detail: `${exchange.method} ${exchange.target} became ${seen.method} ${seen.target}`,
    };
  if (seen.body !== read.body)
    return {
      rule: 'another body forwarded',
      detail: `${JSON.stringify(read.body)} became ${JSON.stringify(seen.body)}`,
    };
  const named = new Set(tokensOf(read.fields, 'connection'));
  const listed = (request: StrictRequest): string[] =>
    request.fields
      .filter(({ lowerName }) => !ownNames.has(lowerName) && !named.has(lowerName))
      .map(({ name, value }) => `${name}: ${value}`);
  const wanted = listed(read);
  const got = listed(seen);
  if (wanted.join('\n') !== got.join('\n'))
    return {
      rule: 'other fields forwarded',
      detail: `${JSON.stringify(wanted)} became ${JSON.stringify(got)}`,
    };
  const extra = seen.fields.find(({ lowerName }) => named.has(lowerName) && !ownNames.has(lowerName));
  if (extra !== undefined)
    return { rule: 'a field that Connection names forwarded', detail: `${extra.name}: ${extra.value}` };
  return undefined;
}

function quote(bytes: Buffer, at: number): string {
  return JSON.stringify(bytes.toString('latin1', at, at + 400));
}

function describe({ exchanges, heard }: RequestFacts): string {
  const bytes = heard.bytes.toString('latin1', 0, 1_000);
  return JSON.stringify({ exchanges, heard: { ...heard, bytes } });
}
