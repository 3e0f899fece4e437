import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  apiDefinition,
  flow,
  type LocalGateway,
  startLocalGateway,
} from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** Appends a letter's header, so that the backend's headers tell which flows ran. */
const mark = (name: string): readonly [string, object] => [
  'transform-headers',
  { addHeaders: [{ name: `X-Mark-${name}`, value: name }] },
];
const marked = (headers: Record<string, unknown>): string =>
  Object.keys(headers)
    .filter((name) => name.startsWith('x-mark-'))
    .map((name) => name.slice(7))
    .join(' ');

async function asked(gateway: LocalGateway, path: string, method = 'GET'): Promise<string> {
  const answer = await gateway.call(path, { method });
  return answer.status === 200
    ? marked((JSON.parse(answer.text) as { headers: object }).headers as never)
    : String(answer.status);
}

const flows = [
  flow('/', { request: [mark('all')] }),
  flow('/books', { request: [mark('books')] }),
  flow('/books/:bookId', { request: [mark('book')], methods: ['GET', 'PUT'] }),
  flow('/books/:bookId/chapters', { request: [mark('chapters')], pathOperator: 'EQUALS' }),
  flow('/books/9999/chapters', { request: [mark('special')] }),
  flow('/books', { request: [mark('off')], enabled: false }),
];

const defaultCases: readonly (readonly [path: string, method: string, marks: string])[] = [
  ['/a', 'GET', 'all'],
  ['/a/', 'GET', 'all'],
  ['/a/books', 'GET', 'all books'],
  ['/a/booksX', 'GET', 'all books'],
  ['/a/book', 'GET', 'all'],
  ['/a/booksX/1', 'GET', 'all books'],
  ['/a/books/1/chaptersX', 'GET', 'all books book'],
  ['/a/books/', 'GET', 'all books'],
  ['/a/books/1', 'GET', 'all books book'],
  ['/a/books/1', 'POST', 'all books'],
  ['/a/books/1/chapters', 'GET', 'all books book chapters'],
  ['/a/books/1/chapters/', 'GET', 'all books book chapters'],
  ['/a/books/1/chapters/2', 'GET', 'all books book'],
  ['/a/books/9999/chapters', 'GET', 'all books book chapters special'],
];
const bestCases: readonly (readonly [path: string, method: string, marks: string])[] = [
  ['/best', 'GET', 'all'],
  ['/best/books', 'GET', 'books'],
  ['/best/books/1', 'GET', 'book'],
  ['/best/books/1', 'DELETE', 'books'],
  ['/best/books/1/chapters', 'GET', 'chapters'],
  ['/best/books/9999/chapters', 'GET', 'special'],
  ['/best/books/9999/chapters/1', 'GET', 'special'],
];

test('by default all matching flows run in order; with best match exactly one does', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, { flows }),
      best: apiDefinition('best', upstream.url, { flows, flowExecution: { mode: 'best-match' } }),
    },
  });
  for (const [path, method, marks] of [...defaultCases, ...bestCases]) {
    assert.equal(await asked(gateway, path, method), marks, `${method} ${path}`);
  }
});

test('a request that no flow matches is 404 when one is required', async (t) => {
  const upstream = await startUpstream(t);
  const required = { flowExecution: { mode: 'default', matchRequired: true } };
  const gateway = await startLocalGateway(t, {
    apis: {
      some: apiDefinition('some', upstream.url, {
        ...required,
        flows: [flow('/books', { request: [mark('books')] })],
      }),
      none: apiDefinition('none', upstream.url, required),
    },
  });
  assert.equal(await asked(gateway, '/some/books'), 'books');
  assert.equal(await asked(gateway, '/some/other'), '404');
  assert.equal(await asked(gateway, '/none'), '404');
});

test('requests and answers pass the plan, then the API', async (t) => {
  const upstream = await startUpstream(t);
  const set = (value: string): readonly [string, object] => [
    'transform-headers',
    {
      addHeaders: [
        { name: 'X-Last', value },
        { name: `X-Mark-${value}`, value },
      ],
    },
  ];
  const plans = {
    open: {
      security: { type: 'KEY_LESS' },
      flows: [flow('/', { request: [set('plan')], response: [set('plan')] })],
    },
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        plans,
        flows: [
          flow('/', { request: [set('api1')], response: [set('api1')] }),
          flow('/', { request: [set('api2')], response: [set('api2')] }),
        ],
      }),
    },
  });
  const answer = await gateway.call('/a');
  const { headers } = JSON.parse(answer.text) as { headers: Record<string, string> };
  assert.equal(marked(headers), 'plan api1 api2');
  assert.equal(headers['x-last'], 'api2');
  assert.equal(answer.headers['x-last'], 'api2');
});

test('mock stands in for the backend: later steps and response flows run, and may still refuse', async (t) => {
  const upstream = await startUpstream(t);
  const mocked: readonly [string, object] = [
    'mock',
    { status: '201', headers: [{ name: 'Content-Type', value: 'text/x-mock' }], content: 'mocked ü' },
  ];
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [flow('/', { request: [mocked, mark('late')], response: [mark('back')] })],
      }),
      limited: apiDefinition('limited', upstream.url, {
        flows: [
          flow('/', {
            request: [
              mocked,
              ['rate-limit', { rate: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES' } }],
            ],
          }),
        ],
      }),
    },
  });
  const answer = await gateway.call('/a', { method: 'POST', body: 'x'.repeat(100_000) });
  assert.equal(answer.status, 201);
  assert.equal(answer.text, 'mocked ü');
  assert.equal(answer.headers['content-type'], 'text/x-mock');
  assert.equal(answer.headers['x-mark-back'], 'back');
  assert.equal(upstream.requests.length, 0);
  const head = await gateway.call('/a', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [201, '']);
  assert.equal((await gateway.call('/limited')).status, 201);
  assert.equal((await gateway.call('/limited')).status, 429);
});
