import { EvaluationFailure } from '../../../../proto/expression/failure.ts';
import { patternOf } from '../../../../proto/expression/patterns.ts';
import type { PolicyConfig } from '../../../../proto/policies/catalog.ts';
import { setMetric } from '../../custom-metrics.ts';
import type { HeaderList } from '../../../http/exchange.ts';
import {
  type AnsweredCall,
  CONTINUE,
  type PolicyCall,
  type PolicyFactory,
  type PolicyRequest,
  type PolicyResponse,
  type PolicyTools,
  type Rejection,
  type Verdict,
} from '../../policy.ts';
import { sayReplaced, tellsOfAnother } from '../../transformation/replaced.ts';
import { mediaTypesOf } from '../../threats/media-types.ts';
import { textOfBody } from '../../transformation/rewrite.ts';
import { createFinder, type PiiCategory, type Span } from './detectors.ts';
import { lookedThrough } from './looked-through.ts';

type Config = PolicyConfig<'pii-filtering'>;
type Origin = 'request' | 'response';

/** Characters of a body: in the time of looking through it nobody else is served. */
const bodyCharsMax = 1_000_000;
/** Characters of a body times instructions of the patterns of a definition. */
const workMax = 50_000_000;
/** What a record names of them. */
const labelsMax = 20;

/** Metrics of the reference, by category. */
const metrics: Readonly<Record<PiiCategory, string>> = {
  EMAIL: 'long_pii_email',
  PHONE: 'long_pii_phone',
  NETWORK_IDENTIFIER: 'long_pii_networkIdentifier',
  DEVICE_IDENTIFIER: 'long_pii_deviceIdentifier',
  FINANCIAL_ACCOUNT: 'long_pii_financialAccount',
  GOVERNMENT_ID: 'long_pii_governmentId',
  VEHICLE_ID: 'long_pii_vehicleId',
  CREDENTIAL: 'long_pii_credential',
  PATTERN: 'long_pii_miscellaneous',
};

/** As the reference says it, in the form of a provider's error. */
const streamingError = {
  type: 'application/json',
  body: '{"error":{"message":"Streaming is not supported.","type":"invalid_request_error","param":"stream"}}',
} as const;

/** Types of media that are text, whatever they are of. */
const textual =
  /^(?:text\/.*|application\/(?:.*\+)?(?:json|xml|yaml)|application\/(?:x-www-form-urlencoded|x-ndjson|javascript|graphql))$/;
const streamWish = /(['"])stream\1\s*:\s*true/i;

/** Masks or refuses personal data. */
export const piiFiltering: PolicyFactory<'pii-filtering'> = (config, tools) => {
  const filter = new PiiFilter(config, tools);
  const response = {
    needs: 'buffered',
    concerns: (call: AnsweredCall) => filter.concerns(call),
    run: (call: AnsweredCall) => filter.look(call, call.response, 'response'),
  } as const;
  if (tools.place.phase === 'response') return { response };
  const request = {
    needs: 'buffered',
    concerns: (call: PolicyCall) => isText(call.request.headers),
    run: (call: PolicyCall) => filter.request(call),
  } as const;
  return config.skipResponsePayloadFiltering ? { request } : { request, response };
};

/** A body of no known type may be text. */
const isText = (headers: HeaderList): boolean => {
  const types = mediaTypesOf(headers);
  return types.length === 0 || types.some((type) => textual.test(type));
};

/** Of a refusal: a step in the request phase sees the answer too, for which its caller can do nothing. */
const statusOf = (origin: Origin): number => (origin === 'request' ? 400 : 500);

class PiiFilter {
  readonly #config: Config;
  readonly #refuse: PolicyTools<'pii-filtering'>['refuse'];
  readonly #find: (text: string) => readonly Span[];
  readonly #charsMax: number;

  constructor(config: Config, { refuse }: PolicyTools<'pii-filtering'>) {
    this.#config = config;
    this.#refuse = refuse;
    this.#find = createFinder(config);
    const instructions = config.patterns.reduce((sum, { regex }) => sum + patternOf(regex).programSize(), 0);
    this.#charsMax = Math.min(bodyCharsMax, Math.floor(workMax / Math.max(1, instructions)));
  }

  /** A stream is refused before anybody waits for its end; a part (206) says of itself that it is parts, and not of what. */
  concerns({ response: { status, headers } }: AnsweredCall): boolean | Rejection {
    return mediaTypesOf(headers).includes('text/event-stream')
      ? this.#refuse('PII_FILTERING_STREAMING', { content: streamingError, status: statusOf('response') })
      : status === 206 || isText(headers);
  }

  request(call: PolicyCall): Verdict {
    const { content } = call.request;
    if (content === undefined || content.length === 0) return CONTINUE;
    if (
      !this.#config.skipResponsePayloadFiltering &&
      streamWish.test(Buffer.from(content).toString('latin1'))
    )
      return this.#refuse('PII_FILTERING_STREAMING', { content: streamingError });
    return this.look(call, call.request, 'request');
  }

  look(call: PolicyCall, of: PolicyRequest | PolicyResponse, origin: Origin): Verdict {
    const { content, headers } = of;
    if (content === undefined || content.length === 0) {
      if (this.#config.action !== 'BLOCK' && tellsOfAnother(call, of)) sayReplaced(of);
      return CONTINUE;
    }
    const encoding = (headers.get('content-encoding') ?? 'identity').toLowerCase();
    if (encoding !== 'identity') return this.#unread(call, origin, `is of Content-Encoding ${encoding}`);
    const types = mediaTypesOf(headers);
    const text = textOfBody(content, headers);
    // What says nothing of itself and is no text is something else.
    if (text === undefined && types.length === 0) return CONTINUE;
    if (text === undefined) return this.#unread(call, origin, 'is no text in its charset');
    if (text.length > this.#charsMax)
      return this.#unread(call, origin, `has more than ${this.#charsMax} characters`);
    const found: Span[] = [];
    let made: string;
    try {
      made = lookedThrough(text, types[0] ?? '', (each) => this.#changed(each, found));
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      return this.#unread(call, origin, `takes too long: ${error.message}`);
    }
    if (found.length === 0) return CONTINUE;
    tell(call, origin, found);
    if (this.#config.action === 'BLOCK')
      return this.#refuse('PII_FILTERING_DETECTED', { status: statusOf(origin) });
    of.content = Buffer.from(made);
    sayReplaced(of);
    sayUtf8(headers);
    return CONTINUE;
  }

  #changed(text: string, found: Span[]): string {
    const spans = this.#find(text);
    if (spans.length === 0) return text;
    found.push(...spans);
    let made = '';
    let from = 0;
    for (const { start, end } of spans) {
      made += text.slice(from, start) + this.#config.replacement;
      from = end;
    }
    return made + text.slice(from);
  }

  #unread(call: PolicyCall, origin: Origin, why: string): Verdict {
    call.warn('PII_FILTERING_UNREADABLE', `the body of the ${origin} ${why}`);
    return this.#refuse('PII_FILTERING_UNREADABLE', { status: statusOf(origin) });
  }
}

/** Never what was found. */
function tell(call: PolicyCall, origin: Origin, found: readonly Span[]): void {
  const add = (name: string, count: number): void => {
    const before = Number(call.customMetrics?.get(name) ?? 0);
    setMetric(call, name, String(before + count));
  };
  for (const [category, name] of Object.entries(metrics)) {
    const count = found.filter((span) => span.category === category).length;
    if (count > 0) add(name, count);
  }
  add('long_pii_total', found.length);
  const labels = [...new Set(found.map(({ label }) => label))].slice(0, labelsMax);
  call.warn('PII_DETECTED', `PII detected in ${origin}: ${labels.join(', ')}`);
}

/** It is UTF-8 from now on, whatever it came in. */
function sayUtf8(headers: HeaderList): void {
  const type = headers.get('content-type');
  if (type !== undefined && /;\s*charset\s*=/i.test(type))
    headers.set('Content-Type', type.replace(/;\s*charset\s*=\s*("[^"]*"|[^\s;]+)/i, '; charset=utf-8'));
}
