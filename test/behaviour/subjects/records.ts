import { flow, group, endpoint, keyed, listener, plans, step } from '../pieces.ts';
import type { GatewayOf, Got, Json, Row, Subject } from '../row.ts';

const recording: GatewayOf = { isRecording: true };
const everything = {
  mode: { entrypoint: true, endpoint: true },
  phase: { request: true, response: true },
  content: { headers: true, payload: true },
};
const logs = (more: Json = {}, api: Json = {}): Json => ({
  analytics: { enabled: true, logging: { ...everything, ...more } },
  ...api,
});
const post = {
  method: 'POST',
  path: '/a',
  body: 'what was asked',
  headers: { 'content-type': 'text/plain' },
};
const answers = { headers: { 'content-type': 'text/plain' }, body: 'what was said' };
const logged = (log: Got['log'] & object): Got => ({ status: 200, log });

const rows: readonly Row[] = [
  {
    says: 'a record names the API, the plan and the application',
    exchanges: [{}, { status: 200, record: { plan_id: 'open', application_id: '1', status: 200 } }],
  },
  {
    says: 'a record of a caller with a key names its subscription',
    api: plans(keyed()),
    subscriptions: [{ plan: 'keyed', apiKeys: ['key-in-records'], application: 'shop' }],
    exchanges: [
      { headers: { 'x-gravitee-api-key': 'key-in-records' } },
      { record: { plan_id: 'keyed', application_id: 'shop', security_type: 'API_KEY' } },
    ],
  },
  {
    says: 'pathMappings are what a record calls the path',
    api: ({ id }) => listener([{ path: `/${id}` }], { pathMappings: ['/orders/:id', '/orders'] }),
    exchanges: [
      [{ path: '/orders/7' }, { record: { mapped_path: '/orders/:id' } }],
      [{ path: '/orders' }, { record: { mapped_path: '/orders' } }],
    ],
  },
  {
    says: 'a record says which key of an error was answered, whatever template did',
    api: {
      flows: [
        flow('/', {
          request: [step('policy-interrupt', { errorKey: 'STOP', message: 'no', statusCode: 409 })],
        }),
      ],
      responseTemplates: { STOP: { '*/*': { status: 418, body: 'tea', propagateErrorKeyToLogs: true } } },
    },
    exchanges: [{}, { status: 418, record: { status: 418, error_key: 'STOP' } }],
  },
  {
    says: 'a record of a backend that nobody listens at has its key',
    api: ({ targets }) => group([endpoint('one', targets[3])]),
    exchanges: [{}, { record: { status: 502, error_key: 'GATEWAY_CLIENT_CONNECTION_REFUSED' } }],
  },
  {
    says: 'logging of both sides holds what was asked and what was answered',
    api: logs(),
    backend: answers,
    exchanges: [
      post,
      logged({
        entrypoint_request_method: 'POST',
        entrypoint_request_uri: /\/records-\d+\/a/,
        entrypoint_request_body: 'what was asked',
        entrypoint_response_status: 200,
        entrypoint_response_body: 'what was said',
        endpoint_request_uri: /http:\/\/127\.0\.0\.1:\d+\/a/,
        endpoint_response_body: 'what was said',
      }),
    ],
  },
  {
    says: 'mode.entrypoint alone leaves the backend’s side out',
    api: logs({ mode: { entrypoint: true, endpoint: false } }),
    backend: answers,
    exchanges: [
      post,
      logged({
        entrypoint_request_method: 'POST',
        endpoint_request_method: undefined,
        endpoint_response_status: undefined,
      }),
    ],
  },
  {
    says: 'mode.endpoint alone leaves the caller’s side out',
    api: logs({ mode: { entrypoint: false, endpoint: true } }),
    backend: answers,
    exchanges: [post, logged({ entrypoint_request_method: undefined, endpoint_request_method: 'POST' })],
  },
  {
    says: 'phase.request alone leaves the answer out',
    api: logs({ phase: { request: true, response: false } }),
    backend: answers,
    exchanges: [
      post,
      logged({
        entrypoint_request_body: 'what was asked',
        entrypoint_response_status: undefined,
        endpoint_response_body: undefined,
      }),
    ],
  },
  {
    says: 'phase.response alone leaves the request out',
    api: logs({ phase: { request: false, response: true } }),
    backend: answers,
    exchanges: [
      post,
      logged({ entrypoint_request_uri: undefined, entrypoint_response_body: 'what was said' }),
    ],
  },
  {
    says: 'content.headers: false leaves headers out',
    api: logs({ content: { headers: false, payload: true } }),
    backend: answers,
    exchanges: [
      post,
      logged({ entrypoint_request_headers: undefined, entrypoint_request_body: 'what was asked' }),
    ],
  },
  {
    says: 'content.payload: false leaves bodies out',
    api: logs({ content: { headers: true, payload: false } }),
    backend: answers,
    exchanges: [
      post,
      logged({ entrypoint_request_headers: /content-type/i, entrypoint_request_body: undefined }),
    ],
  },
  {
    says: 'what is said of messages, which a proxy has none of, is refused by name',
    api: logs({
      content: { messageHeaders: true, messagePayload: true, messageMetadata: true },
      messageCondition: '{#message != null}',
    }),
    refused: /messageCondition.*content\.messageHeaders.*content\.messagePayload.*content\.messageMetadata/,
    exchanges: [{}, { status: 503, asked: false }],
  },
  {
    says: 'a condition says which requests are logged',
    api: logs({ condition: "{#request.headers['x-log'] != null}" }),
    exchanges: [
      [{ headers: { 'x-log': '1' } }, logged({ entrypoint_request_method: 'GET' })],
      [{}, { status: 200, log: false }],
    ],
  },
  {
    says: 'an empty condition is none',
    api: logs({ condition: '' }),
    exchanges: [{}, logged({ entrypoint_request_method: 'GET' })],
  },
  {
    says: 'no mode is no log',
    api: logs({ mode: { entrypoint: false, endpoint: false } }),
    exchanges: [{}, { status: 200, log: false }],
  },
  {
    says: 'analytics that are off log nothing',
    api: { analytics: { enabled: false, logging: everything } },
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'credentials are masked in a log, whoever reads it',
    api: logs(),
    exchanges: [
      { headers: { authorization: 'Bearer very-secret', cookie: 'session=very-secret', 'x-plain': 'seen' } },
      logged({
        entrypoint_request_headers: /^(?!.*very-secret).*seen/,
        endpoint_request_headers: /^(?!.*very-secret).*seen/,
      }),
    ],
  },
  {
    says: 'a key in the query is masked in a log',
    api: logs({}, plans(keyed())),
    subscriptions: [{ plan: 'keyed', apiKeys: ['key-to-be-masked'] }],
    exchanges: [
      { path: '/a?api-key=key-to-be-masked&b=1' },
      logged({ entrypoint_request_uri: /^(?!.*key-to-be-masked).*b=1/ }),
    ],
  },
];

/** What is written down of a request. */
export const aboutRecords: Subject = { name: 'records', rows, gateway: recording };
