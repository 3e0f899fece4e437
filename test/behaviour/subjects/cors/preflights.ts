import { flow, keyed, plans, set, step } from '../../pieces.ts';
import type { Row, Subject } from '../../row.ts';
import { cors, origin, usual } from './answers.ts';

const preflight = (headers: Readonly<Record<string, string>> = {}) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'GET', ...headers },
});

/** What an allowed preflight is told, and what one that is not is not. */
const permission = { 'access-control-allow-origin': origin, 'access-control-allow-methods': 'GET, POST' };
const unpermitted = { 'access-control-allow-origin': undefined, 'access-control-allow-methods': undefined };

const rows: readonly Row[] = [
  {
    says: 'a preflight is answered by the gateway',
    api: cors(usual),
    exchanges: [
      preflight(),
      { status: 200, asked: false, headers: { 'access-control-allow-origin': origin } },
    ],
  },
  {
    says: 'a preflight needs no key',
    api: cors(usual, plans(keyed())),
    exchanges: [preflight(), { status: 200, asked: false }],
  },
  {
    says: 'a preflight needs no token',
    api: cors(
      usual,
      plans({
        id: 'tokens',
        security: {
          type: 'JWT',
          configuration: {
            signature: 'HMAC_HS256',
            publicKeyResolver: 'GIVEN_KEY',
            resolverParameter: 'x'.repeat(32),
          },
        },
      }),
    ),
    exchanges: [preflight(), { status: 200, asked: false }],
  },
  {
    says: 'a request that is no preflight needs its key as ever, and its 401 may be read by the page',
    api: cors(usual, plans(keyed())),
    exchanges: [
      { headers: { origin } },
      { status: 401, headers: { 'access-control-allow-origin': origin }, asked: false },
    ],
  },
  {
    says: 'a preflight whose origin may be any is answered with that origin, with credentials too',
    api: cors({ ...usual, allowOrigin: ['*'], allowCredentials: true }),
    exchanges: [
      preflight(),
      {
        headers: { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' },
      },
    ],
  },
  {
    says: 'the answer itself echoes the origin where any may ask',
    api: cors({ ...usual, allowOrigin: ['*'] }),
    exchanges: [
      { headers: { origin: 'https://any.test' } },
      { headers: { 'access-control-allow-origin': 'https://any.test' } },
    ],
  },
  {
    says: 'a policy that answers a preflight by setting answers it',
    api: cors(
      { ...usual, runPolicies: true },
      {
        flows: [
          flow('/', {
            request: [step('mock', { status: '204', headers: [{ name: 'X-Mocked', value: '1' }] })],
          }),
        ],
      },
    ),
    exchanges: [
      [preflight(), { status: 204, headers: { 'x-mocked': '1', ...permission }, asked: false }],
      [preflight({ origin: 'https://evil.test' }), { status: 400, headers: unpermitted, asked: false }],
    ],
  },
  {
    says: 'a policy that interrupts a preflight by setting refuses it',
    api: cors(
      { ...usual, runPolicies: true },
      {
        flows: [
          flow('/', {
            request: [step('policy-interrupt', { errorKey: 'NO', message: 'no', statusCode: 403 })],
          }),
        ],
      },
    ),
    exchanges: [preflight(), { status: 403, headers: permission, asked: false }],
  },
  {
    says: 'the methods stand with a comma and a blank between them',
    api: cors(usual),
    exchanges: [preflight(), { headers: { 'access-control-allow-methods': 'GET, POST' } }],
  },
  {
    says: 'the headers that may be sent are named',
    api: cors(usual),
    exchanges: [
      preflight({ 'access-control-request-headers': 'X-A' }),
      { status: 200, headers: { 'access-control-allow-headers': 'X-A, X-B' } },
    ],
  },
  {
    says: 'a foreign origin is 400',
    api: cors(usual),
    exchanges: [
      preflight({ origin: 'https://evil.test' }),
      { status: 400, body: 'The API does not allow calls from this origin.', asked: false },
    ],
  },
  {
    says: 'a method that is not allowed is 400',
    api: cors(usual),
    exchanges: [
      preflight({ 'access-control-request-method': 'DELETE' }),
      { status: 400, body: 'The API does not allow calls of this method from other origins.', asked: false },
    ],
  },
  {
    says: 'a header that is not allowed is 400',
    api: cors(usual),
    exchanges: [
      preflight({ 'access-control-request-headers': 'X-C' }),
      { status: 400, body: 'The API does not allow these headers from other origins.', asked: false },
    ],
  },
  {
    says: 'errorStatusCode is the status of an invalid preflight',
    api: cors({ ...usual, errorStatusCode: 403 }),
    exchanges: [preflight({ origin: 'https://evil.test' }), { status: 403 }],
  },
  {
    says: 'its template is that of CORS_PREFLIGHT_FAILED',
    api: cors(usual, {
      responseTemplates: { CORS_PREFLIGHT_FAILED: { '*/*': { status: 418, body: 'cors' } } },
    }),
    exchanges: [preflight({ origin: 'https://evil.test' }), { status: 418, body: 'cors' }],
  },
  {
    says: 'allowOrigin * echoes the origin',
    api: cors({ ...usual, allowOrigin: ['*'] }),
    exchanges: [
      preflight({ origin: 'https://any.test' }),
      { status: 200, headers: { 'access-control-allow-origin': 'https://any.test' } },
    ],
  },
  {
    says: 'an allowed origin may be a regular expression',
    api: cors({ ...usual, allowOrigin: ['https://.*\\.acme\\.test'] }),
    exchanges: [
      [preflight({ origin: 'https://shop.acme.test' }), { status: 200 }],
      [preflight({ origin: 'https://acme.test.evil.test' }), { status: 400 }],
    ],
  },
  {
    says: 'allowOriginRegex holds regular expressions too',
    api: cors({ ...usual, allowOrigin: [], allowOriginRegex: ['https://[a-z]+\\.acme\\.test'] }),
    exchanges: [preflight({ origin: 'https://shop.acme.test' }), { status: 200 }],
  },
  {
    says: 'allowCredentials says so',
    api: cors({ ...usual, allowCredentials: true }),
    exchanges: [preflight(), { headers: { 'access-control-allow-credentials': 'true' } }],
  },
  {
    says: 'without it nothing is said of credentials',
    api: cors(usual),
    exchanges: [preflight(), { headers: { 'access-control-allow-credentials': undefined } }],
  },
  {
    says: 'maxAge is how long a preflight holds',
    api: cors({ ...usual, maxAge: 600 }),
    exchanges: [preflight(), { headers: { 'access-control-max-age': '600' } }],
  },
  {
    says: 'maxAge -1 says nothing',
    api: cors({ ...usual, maxAge: -1 }),
    exchanges: [preflight(), { headers: { 'access-control-max-age': undefined } }],
  },
  {
    says: 'the answer itself has the origin and the headers that may be read',
    api: cors({ ...usual, exposeHeaders: ['X-Total'] }),
    exchanges: [
      { headers: { origin } },
      {
        status: 200,
        headers: {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'X-Total',
          vary: /Origin/,
        },
      },
    ],
  },
  {
    says: 'an answer to a foreign origin names none',
    api: cors(usual),
    exchanges: [
      { headers: { origin: 'https://evil.test' } },
      { headers: { 'access-control-allow-origin': undefined } },
    ],
  },
  {
    says: 'what the backend says of CORS does not go out',
    api: cors(usual),
    backend: { headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'DELETE' } },
    exchanges: [
      { headers: { origin } },
      { headers: { 'access-control-allow-origin': origin, 'access-control-allow-methods': undefined } },
    ],
  },
  {
    says: 'without CORS what the backend says goes out',
    backend: { headers: { 'access-control-allow-origin': '*' } },
    exchanges: [{ headers: { origin } }, { headers: { 'access-control-allow-origin': '*' } }],
  },
  {
    says: 'without CORS a preflight is the backend’s',
    exchanges: [preflight(), { asked: { method: 'OPTIONS' } }],
  },
  {
    says: 'enabled: false is without CORS',
    api: cors({ ...usual, enabled: false }),
    exchanges: [preflight(), { asked: { method: 'OPTIONS' } }],
  },
  {
    says: 'OPTIONS without the headers of a preflight is the backend’s',
    api: cors(usual),
    exchanges: [{ method: 'OPTIONS', headers: { origin } }, { asked: { method: 'OPTIONS' } }],
  },
  {
    says: 'policies do not run for a preflight',
    api: cors(usual, { flows: [flow('/', { request: [step('mock', { status: '201' })] })] }),
    exchanges: [preflight(), { status: 200 }],
  },
  {
    says: 'with runPolicies they run for a valid one',
    api: cors({ ...usual, runPolicies: true }, { flows: [flow('/', { response: [set('X-Ran', '1')] })] }),
    exchanges: [
      [preflight(), { headers: { 'x-ran': '1' } }],
      [preflight({ origin: 'https://evil.test' }), { status: 400, headers: { 'x-ran': undefined } }],
    ],
  },
  {
    says: 'allowPrivateNetwork answers who asks for it',
    api: cors({ ...usual, allowPrivateNetwork: true }),
    exchanges: [
      preflight({ 'access-control-request-private-network': 'true' }),
      { status: 200, headers: { 'access-control-allow-private-network': 'true' } },
    ],
  },
];

/** What APIs do, about cors. */
export const aboutCors: Subject = { name: 'cors', rows };
