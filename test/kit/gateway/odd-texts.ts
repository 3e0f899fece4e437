import { hasExpression } from '../../../proto/expression/find.ts';
import type { Random } from '../random.ts';

/**
 * Definitions with odd texts in them: a valid one that says something in every part that this version runs, and texts put into any of
 * its strings.
 */

/** Where the valid definition leads. */
export interface OddTargets {
  readonly plainPort: number;
  readonly tlsPort: number;
  /** PEM. */
  readonly authority: string;
}

/** One text that was put somewhere. */
export interface Oddity {
  /** As refusals name it, e.g. `listeners[0].cors.allowOrigin[0]`; of a key, with the new key as its end. */
  readonly path: string;
  readonly text: string;
  /** No refusal may name it. */
  readonly isHarmless: boolean;
}

/** A definition to load. */
export interface OddDefinition {
  readonly id: string;
  readonly definition: Record<string, unknown>;
  readonly oddities: readonly Oddity[];
}

/** What no head may hold, what other parsers stumble over, and names that every object inherits. */
const odd: readonly [string, ...string[]] = [
  'Łódź',
  'Zürich',
  '日本語',
  '😀',
  '\ud800',
  'x\udfffy',
  '\0',
  'a\0b',
  'a\r\nX-Split: yes',
  'a\r\n\r\nHTTP/1.1 200 OK',
  'a\nb',
  'a\rb',
  '\n',
  '\t',
  ' ',
  '',
  '\u001b[31m',
  '\u007f',
  '\u0080',
  '\u00a0',
  '\u00ff',
  '\u2028',
  '\u202e',
  '\ufeff',
  'ı',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '%00',
  '%0d%0a',
  '%',
  '%zz',
  '../../etc/passwd',
  '//',
  '?',
  '#',
  '*',
  ':',
  ',',
  ';',
  '"',
  "'",
  '\\',
  '{#request.headers}',
  '${env}',
  '[',
  '-1',
  '0',
  '1e999',
  'NaN',
  'null',
  'true',
  'http://[::1',
  'https://user:pass@h/',
  'chunked',
  'Content-Length',
  'Transfer-Encoding',
  'Connection',
  'Host',
  'x'.repeat(300),
  'x'.repeat(9_000),
  'Ł'.repeat(70_000),
];

/** In no head, but good everywhere else. */
const beyondAscii: readonly [string, ...string[]] = ['Łódź', 'Zürich – Genève', '日本語', '😀', 'Ωμέγα ✓'];

/** Texts that people read, bodies, values: anything may stand there. */
const free =
  /^(?:name|description|apiVersion|labels\[\d+\]|tags\[\d+\]|properties\[\d+\]\.(?:key|value)|plans\[\d+\]\.(?:name|description)|(?:plans\[\d+\]\.)?flows\[\d+\]\.(?:id|name|(?:request|response)\[\d+\]\.(?:name|description|configuration\.(?:content|rate\.key)))|endpointGroups\[\d+\]\.(?:name|endpoints\[\d+\]\.name)|responseTemplates\..*\.body)$/s;
/** A value of a header: printable ASCII may stand there. */
const headerValue = /(?:headers|addHeaders)\[\d+\]\.value$|\.headers\.[^.]+$/s;
/** The names of error keys are free as well. */
const freeKey = /^responseTemplates\.[^.]*$/s;

/** A definition in which every part says something; it loads. */
export function wholeDefinition(
  id: string,
  { plainPort, tlsPort, authority }: OddTargets,
): Record<string, unknown> {
  const http = { connectTimeout: 300, readTimeout: 2_000 };
  const header = (name: string, value: string): object => ({ name, value });
  const step = (policy: string, configuration: object): object => ({
    name: `a ${policy}`,
    description: 'what it does',
    enabled: true,
    policy,
    configuration,
  });
  const transform = {
    removeHeaders: ['X-Gone'],
    whitelistHeaders: [
      'Accept',
      'Content-Type',
      'Content-Length',
      'X-Kept',
      'X-Seen',
      'X-Added',
      'Set-Cookie',
    ],
    addHeaders: [header('X-Added', 'one'), header('Set-Cookie', 'a=b; Path=/')],
  };
  const flow = (path: string, request: object[], response: object[]): object => ({
    id: `flow of ${path}`,
    name: `flow of ${path}`,
    enabled: true,
    selectors: [{ type: 'HTTP', path, pathOperator: 'STARTS_WITH', methods: [] }],
    request,
    response,
  });
  const sharedConfiguration = {
    http,
    headers: [header('X-Endpoint', 'from the endpoint'), header('X-Second', 'two')],
  };
  return {
    id,
    name: `API ${id}`,
    description: 'an API',
    apiVersion: '1.0',
    definitionVersion: 'V4',
    type: 'PROXY',
    tags: ['internal'],
    labels: ['one'],
    listeners: [
      {
        type: 'HTTP',
        paths: [{ path: `/${id}` }, { host: 'api.acme.com', path: `/hosted-${id}` }],
        pathMappings: ['/orders/:id'],
        entrypoints: [{ type: 'http-proxy', qos: 'AUTO', configuration: {} }],
        requestValidation: { rejectNullByte: true },
        cors: {
          enabled: true,
          allowOrigin: ['https://acme.com', '*'],
          allowMethods: ['GET', 'POST'],
          allowHeaders: ['X-Asked', 'Content-Type'],
          exposeHeaders: ['X-Shown'],
          allowCredentials: true,
          maxAge: 60,
          errorStatusCode: 403,
          allowPrivateNetwork: true,
        },
      },
    ],
    endpointGroups: [
      {
        name: `group ${id}`,
        type: 'http-proxy',
        loadBalancer: { type: 'ROUND_ROBIN' },
        sharedConfiguration,
        endpoints: [
          {
            name: `plain ${id}`,
            type: 'http-proxy',
            configuration: { target: `http://127.0.0.1:${plainPort}/base?own=1` },
          },
          {
            name: `proxied ${id}`,
            type: 'http-proxy',
            inheritConfiguration: false,
            configuration: { target: 'http://backend.example/base' },
            sharedConfigurationOverride: {
              ...sharedConfiguration,
              proxy: {
                enabled: true,
                type: 'HTTP',
                host: '127.0.0.1',
                port: plainPort,
                username: 'somebody',
                password: 'secret',
              },
            },
          },
          {
            name: `secured ${id}`,
            type: 'http-proxy',
            inheritConfiguration: false,
            configuration: { target: `https://localhost:${tlsPort}/` },
            sharedConfigurationOverride: {
              ...sharedConfiguration,
              ssl: { hostnameVerifier: true, trustStore: { type: 'PEM', content: authority } },
            },
          },
        ],
      },
    ],
    plans: [
      {
        id: 'keys',
        name: 'With a key',
        description: 'a plan',
        security: { type: 'API_KEY', configuration: {} },
        mode: 'STANDARD',
        status: 'PUBLISHED',
        flows: [flow('/', [step('transform-headers', { addHeaders: [header('X-Plan', 'keys')] })], [])],
      },
      { id: 'open', name: 'Open', security: { type: 'KEY_LESS' }, mode: 'STANDARD', status: 'PUBLISHED' },
    ],
    flows: [
      flow('/transform', [step('transform-headers', transform)], [step('transform-headers', transform)]),
      flow(
        '/mock',
        [step('mock', { status: '200', headers: [header('X-Mock', 'yes')], content: 'a mock' })],
        [],
      ),
      flow(
        '/limited',
        [
          step('rate-limit', {
            addHeaders: true,
            rate: { key: 'k', limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' },
          }),
        ],
        [],
      ),
    ],
    properties: [{ key: 'city', value: 'here' }],
    responseTemplates: {
      API_KEY_INVALID: {
        'application/json': { status: 403, headers: { 'X-Why': 'key' }, body: '{"no":"key"}' },
        'text/html; charset=utf-8': { statusCode: 401, headers: { 'X-Why': 'key' }, body: '<p>no</p>' },
      },
      DEFAULT: { '*/*': { headers: { 'X-Default': 'yes', 'Retry-After': '1' }, body: 'no' } },
    },
    analytics: { enabled: true },
  };
}

/**
 * A definition with texts in one to three of its strings: in most, only harmless ones; else odd ones in any place.
 *
 * So most of the inputs load, and what loads holds odd texts all the same: where anything may stand.
 */
export function createOddDefinition(random: Random, id: string, targets: OddTargets): OddDefinition {
  const definition = wholeDefinition(id, targets);
  let oddities: readonly Oddity[] = [];
  const isTame = random.chance(35);
  for (let count = random.between(1, 3); count > 0; count -= 1) {
    const all = placesOf(definition, '', '');
    const wanted = isTame || random.chance(60) ? all.filter(({ kind }) => kind !== 'other') : all;
    const place = wanted[random.below(wanted.length)];
    if (place === undefined || oddities.some(({ path }) => path === place.path)) continue;
    const isAscii = random.chance(50);
    const isHarmless = isTame || random.chance(50);
    const text = !isHarmless
      ? random.pick(odd)
      : isAscii || place.kind === 'value'
        ? printable(random)
        : random.pick(beyondAscii);
    const whole = mix(random, place.text, text);
    const path = place.set(whole);
    const below = `${place.path}.`;
    // What was put below a key is known by the key's new name.
    const earlier = oddities.map((oddity) =>
      oddity.path.startsWith(below)
        ? { ...oddity, path: `${path}.${oddity.path.slice(below.length)}` }
        : oddity,
    );
    oddities = [
      ...earlier,
      { path, text: whole, isHarmless: isHarmless && place.kind !== 'other' && !hasExpression(whole) },
    ];
  }
  return { id, definition, oddities };
}

/** In place of what stood there, or beside it. */
function mix(random: Random, before: string, text: string): string {
  const at = random.below(before.length + 1);
  return random.pick([text, before + text, text + before, before.slice(0, at) + text + before.slice(at)]);
}

/** Printable ASCII, without the beginnings of expressions: those are refused wherever one could be meant. */
function printable(random: Random): string {
  const characters = Array.from({ length: random.between(1, 40) }, () => random.between(0x20, 0x7e));
  return String.fromCharCode(...characters).replaceAll('{', '(');
}

interface Place {
  readonly path: string;
  readonly text: string;
  /** free: any character; value: printable ASCII; other: has a grammar of its own. */
  readonly kind: 'free' | 'value' | 'other';
  /** Puts a text there; returns the path by which it is then known. */
  set(text: string): string;
}

/** Every string of a value, and the keys of response templates. */
// oxlint-disable-next-line max-params -- a recursion
function placesOf(holder: object, at: string, parent: string): readonly Place[] {
  return Object.entries(holder).flatMap(([key, item]: [string, unknown]): readonly Place[] => {
    const path = Array.isArray(holder) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`;
    const keys =
      at.startsWith('responseTemplates') && !isTemplateField(at, parent) ? [keyPlace(holder, key, at)] : [];
    if (typeof item === 'string') return [...keys, valuePlace(holder, key, { path, text: item })];
    return typeof item === 'object' && item !== null ? [...keys, ...placesOf(item, path, at)] : keys;
  });
}

/** `responseTemplates.<key>.<type>` has fields of ours; the levels above it and its headers have keys of the publisher's. */
function isTemplateField(at: string, parent: string): boolean {
  return at !== 'responseTemplates' && parent !== 'responseTemplates' && !at.endsWith('.headers');
}

function valuePlace(
  holder: object,
  key: string,
  { path, text }: { readonly path: string; readonly text: string },
): Place {
  const kind = free.test(path) ? 'free' : headerValue.test(path) ? 'value' : 'other';
  return { path, text, kind, set: (next) => (Reflect.set(holder, key, next), path) };
}

// oxlint-disable-next-line max-params -- the three parts of a key's place
function keyPlace(holder: object, key: string, at: string): Place {
  const path = `${at}.${key}`;
  return {
    path,
    text: key,
    kind: freeKey.test(path) ? 'free' : 'other',
    set(next) {
      const item: unknown = Reflect.get(holder, key);
      Reflect.deleteProperty(holder, key);
      // As JSON.parse does it: `__proto__` is a key like others.
      Object.defineProperty(holder, next, {
        value: item,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return `${at}.${next}`;
    },
  };
}
