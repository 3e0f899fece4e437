import { cached, endpoint, flow, group, keyed, listener, plans, step } from '../../pieces.ts';
import type { Got, Row, RowPlace, Send, Subject } from '../../row.ts';

/** An API with CORS. */
export const cors =
  (of: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}) =>
  ({ id }: RowPlace) => ({ ...listener([{ path: `/${id}` }], { cors: { enabled: true, ...of } }), ...more });
/** Of the page that asks. */
export const origin = 'https://app.acme.test';
/** What most rows allow. */
export const usual = { allowOrigin: [origin], allowMethods: ['GET', 'POST'], allowHeaders: ['X-A', 'X-B'] };

/** Whoever answers, the page that asked may read it, and no other one. */
const answers: readonly (readonly [by: string, Omit<Row, 'says' | 'exchanges'>, Got, Send?])[] = [
  [
    'a step that mocks',
    {
      api: cors(usual, { flows: [flow('/', { request: [step('mock', { status: '202', content: 'm' })] })] }),
    },
    { status: 202, body: 'm', asked: false },
  ],
  [
    'a step that interrupts',
    {
      api: cors(usual, {
        flows: [flow('/', { request: [step('policy-interrupt', { errorKey: 'NO', message: 'no' })] })],
      }),
    },
    { status: 500, asked: false },
  ],
  [
    'a step that interrupts the answer',
    {
      api: cors(usual, {
        flows: [flow('/', { response: [step('policy-interrupt', { errorKey: 'NO', message: 'no' })] })],
      }),
    },
    { status: 500 },
  ],
  [
    'a limit',
    {
      api: cors(usual, {
        flows: [
          flow('/', {
            request: [
              step('rate-limit', {
                rate: { limit: 0, dynamicLimit: '0', periodTime: 1, periodTimeUnit: 'SECONDS' },
              }),
            ],
          }),
        ],
      }),
    },
    { status: 429, asked: false },
  ],
  [
    'a template',
    {
      api: cors(usual, {
        ...plans(keyed()),
        responseTemplates: { API_KEY_MISSING: { '*/*': { status: 418, body: 'no' } } },
      }),
    },
    { status: 418, body: 'no', asked: false },
  ],
  [
    'the gateway, whose flows must match,',
    {
      api: cors(usual, {
        flowExecution: { mode: 'default', matchRequired: true },
        flows: [flow('/elsewhere', {})],
      }),
    },
    { status: 404, asked: false },
  ],
  [
    'the gateway, whose backend is away,',
    { api: (place) => ({ ...cors(usual)(place), ...group([endpoint('one', place.targets[3])]) }) },
    { status: 502 },
  ],
  ['a backend that fails', { api: cors(usual), backend: { status: 503 } }, { status: 503 }],
  [
    'the gateway, to a path that leads out,',
    { api: cors(usual) },
    { status: 400, asked: false },
    { path: '/a/..%2f..%2f..%2fb' },
  ],
];
const rows: readonly Row[] = [
  ...answers.map(([by, row, got, send]): Row => ({
    ...row,
    says: `what ${by} answers may be read by the page that asked, and by no other`,
    exchanges: [
      [
        { ...send, headers: { origin } },
        { ...got, headers: { 'access-control-allow-origin': origin, vary: /Origin/ } },
      ],
      [
        { ...send, headers: { origin: 'https://evil.test' } },
        { ...got, headers: { 'access-control-allow-origin': undefined } },
      ],
    ],
  })),
  {
    says: 'what a cache answers is for the page that asks now, whoever asked first',
    api: cors({ ...usual, allowOrigin: ['*'] }, cached()),
    backend: { headers: { 'access-control-allow-origin': 'https://first.test' } },
    exchanges: [
      [
        { headers: { origin: 'https://first.test' } },
        { headers: { 'access-control-allow-origin': 'https://first.test' } },
      ],
      [{ headers: { origin } }, { headers: { 'access-control-allow-origin': origin }, asked: false }],
    ],
  },
];

/** What APIs do, about answers that a page of another origin may read. */
export const aboutCorsAnswers: Subject = { name: 'cors answers', rows };
