import { flow, group, endpoint, keyed, plans, shared, step } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

const interrupt = (more: Readonly<Record<string, unknown>> = {}) =>
  step('policy-interrupt', { errorKey: 'STOP', statusCode: 409, message: 'no further', ...more });
const stopped = (responseTemplates: object, more: Readonly<Record<string, unknown>> = {}) => ({
  flows: [flow('/', { request: [interrupt(more)] })],
  responseTemplates,
});
const json = { accept: 'application/json' };

const rows: readonly Row[] = [
  {
    says: 'without Accept an error is plain text',
    api: stopped({}),
    exchanges: [{}, { status: 409, body: 'no further', headers: { 'content-type': /^text\/plain/ } }],
  },
  {
    says: 'with Accept: application/json it is JSON with its status',
    api: stopped({}),
    exchanges: [
      { headers: json },
      {
        status: 409,
        body: { message: 'no further', http_status_code: 409 },
        headers: { 'content-type': /^application\/json/ },
      },
    ],
  },
  {
    says: 'with Accept: */* it is JSON',
    api: stopped({}),
    exchanges: [
      { headers: { accept: '*/*' } },
      { status: 409, body: { message: 'no further', http_status_code: 409 } },
    ],
  },
  {
    says: 'with Accept: text/html it is plain text',
    api: stopped({}),
    exchanges: [{ headers: { accept: 'text/html' } }, { status: 409, body: 'no further' }],
  },
  {
    says: 'a template of the key answers',
    api: stopped({ STOP: { '*/*': { status: 451, headers: { 'X-Why': 'law' }, body: 'ours' } } }),
    exchanges: [{}, { status: 451, headers: { 'x-why': 'law' }, body: 'ours' }],
  },
  {
    says: 'statusCode is the name of status in exports',
    api: stopped({ STOP: { '*/*': { statusCode: 452, body: 'ours' } } }),
    exchanges: [{}, { status: 452 }],
  },
  {
    says: 'without a status the template keeps that of the error',
    api: stopped({ STOP: { '*/*': { body: 'ours' } } }),
    exchanges: [{}, { status: 409, body: 'ours' }],
  },
  {
    says: 'DEFAULT answers where the key has no template',
    api: stopped({ DEFAULT: { '*/*': { status: 400, body: 'any' } }, OTHER: { '*/*': { body: 'other' } } }),
    exchanges: [{}, { status: 400, body: 'any' }],
  },
  {
    says: 'the key comes before DEFAULT',
    api: stopped({ DEFAULT: { '*/*': { body: 'any' } }, STOP: { '*/*': { body: 'mine' } } }),
    exchanges: [{}, { body: 'mine' }],
  },
  {
    says: 'the template of the media type that is accepted comes before that of all',
    api: stopped({ STOP: { '*/*': { body: 'all' }, 'application/json': { body: '{"json":true}' } } }),
    exchanges: [
      [{ headers: json }, { body: { json: true }, headers: { 'content-type': /^application\/json/ } }],
      [{ headers: { accept: 'text/html' } }, { body: 'all' }],
      [{}, { body: 'all' }],
    ],
  },
  {
    says: 'an error for which no template stands is answered as without any',
    api: stopped({ OTHER: { '*/*': { body: 'other' } } }),
    exchanges: [{}, { status: 409, body: 'no further' }],
  },
  {
    says: 'expressions in a template know the error and the request',
    api: stopped({
      STOP: {
        '*/*': { body: '{#error.key}/{#error.statusCode}/{#error.message}/{#request.method}' },
      },
    }),
    exchanges: [{}, { body: 'STOP/409/no further/GET' }],
  },
  {
    says: 'the status that expressions know is that of the error, not that of the template',
    api: stopped({ STOP: { '*/*': { status: 418, body: '{#error.statusCode}' } } }),
    exchanges: [{}, { status: 418, body: '409' }],
  },
  {
    says: 'headers of a template may hold expressions',
    api: stopped({ STOP: { '*/*': { headers: { 'X-Key': '{#error.key}' }, body: 'x' } } }),
    exchanges: [{}, { headers: { 'x-key': 'STOP' } }],
  },
  {
    says: 'variables of an interruption are parameters of its template',
    api: stopped(
      { STOP: { '*/*': { body: "{#parameters['who']}" } } },
      { variables: [{ name: 'who', value: '{#request.method}' }] },
    ),
    exchanges: [{}, { body: 'GET' }],
  },
  {
    says: 'a body that fails is empty, and the status stays',
    api: stopped({ STOP: { '*/*': { body: "{#request.headers['nope'][0]}" } } }),
    exchanges: [{}, { status: 409, body: '' }],
  },
  {
    says: 'propagateErrorKeyToLogs changes nothing of the answer',
    api: stopped({ STOP: { '*/*': { body: 'x', propagateErrorKeyToLogs: true } } }),
    exchanges: [{}, { status: 409, body: 'x' }],
  },
  {
    says: 'a backend that nobody listens at is 502',
    api: ({ targets }) => group([endpoint('one', targets[3])]),
    exchanges: [{}, { status: 502, asked: false }],
  },
  {
    says: 'its template is that of GATEWAY_CLIENT_CONNECTION_REFUSED',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[3])]),
      responseTemplates: {
        GATEWAY_CLIENT_CONNECTION_REFUSED: { '*/*': { status: 503, body: '{#error.key}' } },
      },
    }),
    exchanges: [{}, { status: 503, body: 'GATEWAY_CLIENT_CONNECTION_REFUSED' }],
  },
  {
    says: 'a template of the parent key answers where the key itself has none',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[3])]),
      responseTemplates: {
        GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { status: 504, body: 'parent' } },
        DEFAULT: { '*/*': { body: 'any' } },
      },
    }),
    exchanges: [{}, { status: 504, body: 'parent' }],
  },
  {
    says: 'a backend that is late has the template of the parent key too',
    api: ({ targets }) => ({
      ...shared(targets[0], { http: { readTimeout: 100 } }),
      responseTemplates: {
        GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { status: 599, body: '{#error.key}' } },
      },
    }),
    exchanges: [{ backend: { afterMs: 2_000 } }, { status: 599, body: 'GATEWAY_CLIENT_READ_TIMEOUT' }],
  },
  {
    says: 'the key itself comes before its parent',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[3])]),
      responseTemplates: {
        GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { body: 'parent' } },
        GATEWAY_CLIENT_CONNECTION_REFUSED: { '*/*': { body: 'itself' } },
      },
    }),
    exchanges: [{}, { status: 502, body: 'itself' }],
  },
  {
    says: 'a template of the parent key knows the key itself',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[3])]),
      responseTemplates: { GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { body: '{#error.key}' } } },
    }),
    exchanges: [{}, { body: 'GATEWAY_CLIENT_CONNECTION_REFUSED' }],
  },
  {
    says: 'an API that is stopped is served to nobody',
    api: { state: 'STOPPED' },
    exchanges: [{}, { status: 404, asked: false }],
  },
  {
    says: 'an API of another type is refused by name',
    api: { type: 'message' },
    refused: /type/,
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'tracing that is on gives a request a context where it has none',
    api: { analytics: { tracing: { enabled: true } } },
    exchanges: [{}, { asked: { headers: { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/ } } }],
  },
  {
    says: 'tracing passes on the context that a request has',
    api: { analytics: { tracing: { enabled: true } } },
    exchanges: [
      { headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` } },
      { asked: { headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` } } },
    ],
  },
  {
    says: 'tracing of every step is refused by name',
    api: { analytics: { tracing: { enabled: true, verbose: true } } },
    refused: /analytics\.tracing\.verbose/,
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a backend that closes before it answers is 502',
    backend: { isCut: true },
    exchanges: [{ method: 'POST', body: 'x' }, { status: 502 }],
  },
  {
    says: 'a backend that is late is 504',
    api: ({ targets }) => shared(targets[0], { http: { readTimeout: 100 } }),
    backend: { afterMs: 2_000 },
    exchanges: [{}, { status: 504 }],
  },
  {
    says: 'its template is that of GATEWAY_CLIENT_READ_TIMEOUT',
    api: ({ targets }) => ({
      ...shared(targets[0], { http: { readTimeout: 100 } }),
      responseTemplates: { GATEWAY_CLIENT_READ_TIMEOUT: { '*/*': { body: '{#error.key}' } } },
    }),
    backend: { afterMs: 2_000 },
    exchanges: [{}, { status: 504, body: 'GATEWAY_CLIENT_READ_TIMEOUT' }],
  },
  {
    says: 'a missing key has the template of API_KEY_MISSING',
    api: {
      ...plans(keyed()),
      responseTemplates: { API_KEY_MISSING: { '*/*': { status: 401, body: 'show a key' } } },
    },
    exchanges: [{}, { status: 401, asked: false }],
  },
  {
    says: 'an error of the gateway goes through no flow of the answer',
    api: {
      ...stopped({}),
      flows: [
        flow('/', {
          request: [interrupt()],
          response: [step('transform-headers', { addHeaders: [{ name: 'X-Answered', value: '1' }] })],
        }),
      ],
    },
    exchanges: [{}, { status: 409, headers: { 'x-answered': undefined } }],
  },
  {
    says: 'an interruption of the answer replaces what the backend answered',
    api: { flows: [flow('/', { response: [interrupt({ statusCode: 500 })] })] },
    backend: { status: 200, headers: { 'x-from': 'backend' }, body: 'secret' },
    exchanges: [{}, { status: 500, body: 'no further' }],
  },
];

/** What APIs do, about errors. */
export const aboutErrors: Subject = { name: 'errors', rows };
