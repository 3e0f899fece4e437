import { patternOf } from '../../../proto/expression/patterns.ts';
import type { CorsDefinition } from '../../../proto/model/api.ts';
import { isOriginPattern } from '../../../proto/model/api-listeners.ts';
import { originCharsMax } from '../../../proto/model/head-text.ts';
import type { ExchangeRequest, HeaderList } from '../../http/exchange.ts';
import type { Answer } from '../../policies/policy.ts';
import type { EngineRules } from './engine.ts';

/** Who may call an API from a browser. */
export interface Cors {
  readonly errorStatus: number;
  /** A preflight that is allowed passes the flows of the API. */
  readonly runsPolicies: boolean;
  /** A preflight that is not allowed is no error: it has an answer too, see {@link headOf}. */
  readonly answersRefused: boolean;
  /** The head for what {@link answerPreflight} allowed; undefined when it allowed nothing. */
  headOf(
    allowed: readonly (readonly [name: string, value: string])[] | undefined,
  ): Pick<Answer, 'status' | 'headers'>;
  /** True for a browser's question whether a call is allowed; it is answered before security. */
  isPreflight(request: ExchangeRequest): boolean;
  /** Answers a preflight: the headers to send, or in words what of it is not allowed. */
  answerPreflight(request: ExchangeRequest): readonly (readonly [name: string, value: string])[] | string;
  /** Sets the headers of an ordinary answer when its request came from an allowed origin. */
  addTo(headers: HeaderList, request: ExchangeRequest): void;
  /** The same for the answer to a preflight, whoever gives it and whether or not it is allowed; see {@link headOf}. */
  ofPreflight(allowed: readonly (readonly [name: string, value: string])[] | undefined): Pick<Cors, 'addTo'>;
}

/**
 * Compiles an enabled CORS section.
 *
 * The allowed origin is echoed, also for `*`; methods are joined with `, `. Whatever the backend says of CORS goes, to whomever it
 * answers. Where credentials are allowed, browsers take a `*` for a name: then what was asked, or is there, stands in its place.
 */
export function createCors(definition: CorsDefinition, engine: EngineRules): Cors {
  const { isAllowed, methods, headers, whyRefused } = permissionsOf(definition);
  return {
    errorStatus: definition.errorStatusCode,
    runsPolicies: definition.runPolicies,
    answersRefused: !engine.preflightsFailByKey,
    headOf(allowed) {
      if (allowed !== undefined) return { status: 200, headers: allowed };
      return definition.runPolicies
        ? { status: 200, headers: [] }
        : { status: definition.errorStatusCode, headers: [['Connection', 'close']] };
    },
    isPreflight: ({ method, headers: given }) =>
      method === 'OPTIONS' && given.has('origin') && given.has('access-control-request-method'),
    answerPreflight(request) {
      const why = whyRefused(request);
      if (why !== undefined) return why;
      const { headers: given } = request;
      const origin = given.get('origin') ?? '';
      const method = (given.get('access-control-request-method') ?? '').toUpperCase();
      const named = engine.preflightsNameOrigin || definition.allowCredentials ? origin : '*';
      const answer: (readonly [string, string])[] = [['Access-Control-Allow-Origin', named]];
      if (definition.allowCredentials) answer.push(['Access-Control-Allow-Credentials', 'true']);
      if (definition.maxAge >= 0) answer.push(['Access-Control-Max-Age', String(definition.maxAge)]);
      const asked = given.get('access-control-request-headers') ?? '';
      const isEchoing = definition.allowCredentials;
      const allowedMethods = isEchoing && methods.has('*') ? method : definition.allowMethods.join(', ');
      const allowedHeaders = isEchoing && headers.has('*') ? asked : definition.allowHeaders.join(', ');
      answer.push(['Access-Control-Allow-Methods', allowedMethods]);
      if (allowedHeaders !== '') answer.push(['Access-Control-Allow-Headers', allowedHeaders]);
      if (definition.allowPrivateNetwork && given.get('access-control-request-private-network') === 'true') {
        answer.push(['Access-Control-Allow-Private-Network', 'true']);
      }
      return answer;
    },
    ofPreflight,
    addTo(list, { headers: given }) {
      const names = namesIn(list);
      for (const name of names) if (name.startsWith('access-control-')) list.delete(name);
      // Whatever the answer, another origin might have got another.
      if (!list.getAll('vary').join(',').split(',').some(isOriginOrAll)) list.append('Vary', 'Origin');
      const origin = given.get('origin');
      if (origin === undefined || !isAllowed(origin)) return;
      list.set('Access-Control-Allow-Origin', origin);
      if (definition.allowCredentials) list.set('Access-Control-Allow-Credentials', 'true');
      const isNaming = definition.allowCredentials && definition.exposeHeaders.includes('*');
      const exposed = isNaming
        ? names.filter((name) => !name.startsWith('access-control-'))
        : definition.exposeHeaders;
      if (exposed.length > 0) list.set('Access-Control-Expose-Headers', exposed.join(', '));
    },
  };
}

/** What a section allows, ready to be asked. */
function permissionsOf(definition: CorsDefinition) {
  const origins = new Set(definition.allowOrigin);
  const patterns = [...definition.allowOrigin.filter(isOriginPattern), ...definition.allowOriginRegex].map(
    patternOf,
  );
  const isAllowed = (origin: string): boolean =>
    origins.has('*') ||
    origins.has(origin) ||
    (origin.length <= originCharsMax && patterns.some((pattern) => pattern.matches(origin)));
  const methods = new Set(definition.allowMethods.map((method) => method.toUpperCase()));
  const headers = new Set(definition.allowHeaders.map((name) => name.toLowerCase()));
  const takesHeaders = (asked: string): boolean =>
    headers.has('*') ||
    asked
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .every((name) => name === '' || headers.has(name));

  const whyRefused = ({ headers: given }: ExchangeRequest): string | undefined => {
    if (!isAllowed(given.get('origin') ?? '')) return 'The API does not allow calls from this origin.';
    const method = (given.get('access-control-request-method') ?? '').toUpperCase();
    if (!methods.has('*') && !methods.has(method))
      return 'The API does not allow calls of this method from other origins.';
    if (!takesHeaders(given.get('access-control-request-headers') ?? ''))
      return 'The API does not allow these headers from other origins.';
    return undefined;
  };
  return { isAllowed, methods, headers, whyRefused };
}

const varyOfPreflight =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network';

const ofPreflight: Cors['ofPreflight'] = (allowed) => ({
  addTo(list) {
    // A step may have answered in the gateway's place; what it says itself stands.
    for (const [name, value] of allowed ?? []) if (!list.has(name)) list.set(name, value);
    // Another question might have got another answer, also where this one was refused.
    list.append('Vary', varyOfPreflight);
  },
});

const isOriginOrAll = (name: string): boolean => /^(?:origin|\*)$/i.test(name.trim());

/** Each once, in lower case. */
function namesIn(list: HeaderList): readonly string[] {
  const names = new Set<string>();
  list.forEach((name) => void names.add(name.toLowerCase()));
  return [...names];
}
