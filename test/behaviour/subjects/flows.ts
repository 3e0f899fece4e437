import { at, flow, keyless, mark, plans, set, show, step } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

const order = show('X-Order', "#context.attributes['order'] ?: 'none'");
const last = flow('/', { request: [order] });
const seen = (value: string) => ({ asked: { headers: { 'x-order': value } } });

const rows: readonly Row[] = [
  {
    says: 'flows run in their order, and in each its steps',
    api: {
      flows: [flow('/', { request: [mark('a'), mark('b')] }), flow('/', { request: [mark('c')] }), last],
    },
    exchanges: [{}, seen('abc')],
  },
  {
    says: 'a flow at / runs for every path',
    api: { flows: [flow('/', { request: [mark('a')] }), last] },
    exchanges: [
      [{}, seen('a')],
      [{ path: '/x/y' }, seen('a')],
    ],
  },
  {
    says: 'STARTS_WITH matches what begins with its text, as in the reference',
    api: { flows: [flow('/products', { request: [mark('a')] }), last] },
    exchanges: [
      [{ path: '/products' }, seen('a')],
      [{ path: '/products/1' }, seen('a')],
      [{ path: '/productsx' }, seen('a')],
      [{ path: '/x/products' }, seen('none')],
    ],
  },
  {
    says: 'EQUALS matches the path and nothing below it, with a slash at the end or without',
    api: { flows: [flow('', { request: [mark('a')] }, at('/products', 'EQUALS')), last] },
    exchanges: [
      [{ path: '/products' }, seen('a')],
      [{ path: '/products/' }, seen('a')],
      [{ path: '/products/1' }, seen('none')],
    ],
  },
  {
    says: 'EQUALS ignores a slash at the end of the flow’s path',
    api: { flows: [flow('', { request: [mark('a')] }, at('/products/', 'EQUALS')), last] },
    exchanges: [{ path: '/products' }, seen('a')],
  },
  {
    says: 'START_WITH is STARTS_WITH',
    api: { flows: [flow('', { request: [mark('a')] }, at('/products', 'START_WITH')), last] },
    exchanges: [{ path: '/products/1' }, seen('a')],
  },
  {
    says: 'a path parameter matches one segment',
    api: {
      flows: [flow('', { request: [mark('a')] }, at('/products/:id', 'EQUALS')), last],
    },
    exchanges: [
      [{ path: '/products/1' }, seen('a')],
      [{ path: '/products/1/parts' }, seen('none')],
      [{ path: '/products' }, seen('none')],
    ],
  },
  {
    says: 'methods of a flow: those and no others',
    api: { flows: [flow('', { request: [mark('a')] }, at('/', 'STARTS_WITH', ['POST', 'PUT'])), last] },
    exchanges: [
      [{ method: 'POST' }, seen('a')],
      [{ method: 'GET' }, seen('none')],
    ],
  },
  {
    says: 'OTHER stands for methods that have no name of their own there',
    api: { flows: [flow('', { request: [mark('a')] }, at('/', 'STARTS_WITH', ['OTHER'])), last] },
    exchanges: [
      [{ method: 'PROPFIND' }, seen('a')],
      [{ method: 'GET' }, seen('none')],
    ],
  },
  {
    says: 'all selectors of a flow have to match',
    api: {
      flows: [
        flow(
          '',
          { request: [mark('a')] },
          {
            selectors: [
              { type: 'http', path: '/a', pathOperator: 'STARTS_WITH', methods: ['GET'] },
              { type: 'condition', condition: "{#request.headers['x-on'] != null}" },
            ],
          },
        ),
        last,
      ],
    },
    exchanges: [
      [{ path: '/a', headers: { 'x-on': '1' } }, seen('a')],
      [{ path: '/a' }, seen('none')],
      [{ path: '/b', headers: { 'x-on': '1' } }, seen('none')],
    ],
  },
  {
    says: 'a flow without selectors runs for every request',
    api: { flows: [flow('', { request: [mark('a')] }, { selectors: [] }), last] },
    exchanges: [{ path: '/any' }, seen('a')],
  },
  {
    says: 'a disabled flow does not run',
    api: { flows: [flow('/', { request: [mark('a')] }, { enabled: false }), last] },
    exchanges: [{}, seen('none')],
  },
  {
    says: 'a disabled step does not run',
    api: { flows: [flow('/', { request: [mark('a', { enabled: false }), mark('b')] }), last] },
    exchanges: [{}, seen('b')],
  },
  {
    says: 'a step runs where its condition holds',
    api: { flows: [flow('/', { request: [mark('a', { condition: "{#request.method == 'GET'}" })] }), last] },
    exchanges: [
      [{}, seen('a')],
      [{ method: 'POST' }, seen('none')],
    ],
  },
  {
    says: 'a step whose condition fails is skipped, and the request goes on',
    api: {
      flows: [
        flow('/', { request: [mark('a', { condition: "{#request.headers['x-none'][0] == '1'}" })] }),
        last,
      ],
    },
    exchanges: [{}, { status: 200, ...seen('none') }],
  },
  {
    says: 'an empty condition is none',
    api: {
      flows: [
        flow('/', { request: [mark('a', { condition: '' })] }),
        flow('', { request: [mark('b')] }, { selectors: [{ type: 'condition', condition: '' }] }),
        last,
      ],
    },
    exchanges: [{}, seen('ab')],
  },
  {
    says: 'the condition of a flow is asked when the flow is reached: it sees what flows before it did',
    api: {
      flows: [
        flow('/', {
          request: [step('policy-assign-attributes', { attributes: [{ name: 'on', value: 'yes' }] })],
        }),
        flow(
          '',
          { request: [mark('a')] },
          { selectors: [{ type: 'condition', condition: "{#context.attributes['on'] == 'yes'}" }] },
        ),
        last,
      ],
    },
    exchanges: [{}, seen('a')],
  },
  {
    says: 'it sees what a flow before it did later than at once, too',
    api: {
      flows: [
        flow('/', {
          request: [
            step('latency', { time: 5 }),
            step('policy-assign-attributes', { attributes: [{ name: 'on', value: 'yes' }] }),
          ],
        }),
        flow(
          '',
          { request: [mark('a')] },
          { selectors: [{ type: 'condition', condition: "{#context.attributes['on'] == 'yes'}" }] },
        ),
        last,
      ],
    },
    exchanges: [{}, seen('a')],
  },
  {
    says: 'what the condition of a flow said for the request holds for the answer',
    api: {
      flows: [
        flow(
          '',
          {
            request: [step('policy-assign-attributes', { attributes: [{ name: 'off', value: 'yes' }] })],
            response: [set('X-Answered', 'yes')],
          },
          { selectors: [{ type: 'condition', condition: "{#context.attributes['off'] == null}" }] },
        ),
      ],
    },
    exchanges: [{}, { headers: { 'x-answered': 'yes' } }],
  },
  {
    says: 'a flow whose condition did not hold for the request does not run for its answer',
    api: {
      flows: [
        flow(
          '',
          { response: [set('X-Answered', 'yes')] },
          { selectors: [{ type: 'condition', condition: '{#response.status == 200}' }] },
        ),
      ],
    },
    exchanges: [{}, { status: 200, headers: { 'x-answered': undefined } }],
  },
  {
    says: 'a condition that fails is a flow that does not run',
    api: {
      flows: [
        flow(
          '',
          { request: [mark('a')] },
          { selectors: [{ type: 'condition', condition: "{#request.headers['x-none'][0] == '1'}" }] },
        ),
        last,
      ],
    },
    exchanges: [{}, { status: 200, ...seen('none') }],
  },
  {
    says: 'steps of the answer run in the order in which they stand',
    api: {
      flows: [flow('/', { response: [mark('a'), mark('b')] }), flow('/', { response: [mark('c'), order] })],
    },
    exchanges: [{}, { headers: { 'x-order': 'abc' } }],
  },
  {
    says: 'flows of the plan run before those of the API, for the request and for the answer',
    api: {
      ...plans(keyless({ flows: [flow('/', { request: [mark('p')], response: [mark('r')] })] })),
      flows: [flow('/', { request: [mark('a'), order], response: [mark('z'), order] })],
    },
    exchanges: [{}, { headers: { 'x-order': 'parz' }, asked: { headers: { 'x-order': 'pa' } } }],
  },
  {
    says: 'what a step answers ends the steps after it, and the answer’s steps still run',
    api: {
      flows: [
        flow('/', {
          request: [step('mock', { status: '201', content: 'made' }), mark('a')],
          response: [order],
        }),
      ],
    },
    exchanges: [{}, { status: 201, body: 'made', headers: { 'x-order': 'a' }, asked: false }],
  },
  {
    says: 'a step that interrupts ends the request: no step after it, no backend',
    api: {
      flows: [
        flow('/', {
          request: [
            step('policy-interrupt', { errorKey: 'STOP', statusCode: 409, message: 'stop' }),
            set('X-After', '1'),
          ],
        }),
      ],
    },
    exchanges: [{}, { status: 409, body: 'stop', asked: false }],
  },
  {
    says: 'scope in a step of version 4 is ignored',
    api: {
      flows: [
        flow('/', {
          request: [
            step('transform-headers', { scope: 'RESPONSE', addHeaders: [{ name: 'X-A', value: '1' }] }),
          ],
        }),
      ],
    },
    exchanges: [{}, { asked: { headers: { 'x-a': '1' } } }],
  },
  {
    says: 'an expression that names the answer’s body has it read whole',
    api: { flows: [flow('/', { response: [show('X-Name', "#jsonPath(#response.content, '$.name')")] })] },
    backend: { headers: { 'content-type': 'application/json' }, body: '{"name":"Ann"}' },
    exchanges: [{}, { headers: { 'x-name': 'Ann' }, body: '{"name":"Ann"}' }],
  },
  {
    says: 'an expression that names the request’s body has it read whole, and it still reaches the backend',
    api: { flows: [flow('/', { request: [show('X-Name', '#request.jsonContent.name')] })] },
    exchanges: [
      { method: 'POST', body: '{"name":"Ann"}' },
      { asked: { headers: { 'x-name': 'Ann' }, body: '{"name":"Ann"}' } },
    ],
  },
  {
    says: 'condition beside the selectors is a condition of the flow, as older definitions have it',
    api: {
      flows: [flow('/', { request: [mark('a')] }, { condition: "{#request.headers['x-on'] != null}" }), last],
    },
    exchanges: [
      [{ headers: { 'x-on': '1' } }, seen('a')],
      [{}, seen('none')],
    ],
  },
  {
    says: 'what the condition of a flow looked at may be gone when the answer comes',
    api: {
      flows: [
        flow(
          '',
          {
            request: [step('transform-headers', { removeHeaders: ['x-on'] })],
            response: [set('X-Answered', 'yes')],
          },
          { selectors: [{ type: 'condition', condition: "{#request.headers['x-on'][0] == '1'}" }] },
        ),
      ],
    },
    exchanges: [
      [
        { headers: { 'x-on': '1' } },
        { headers: { 'x-answered': 'yes' }, asked: { headers: { 'x-on': undefined } } },
      ],
      [{}, { status: 200, headers: { 'x-answered': undefined } }],
    ],
  },
  {
    says: 'scope does not bring a step of the request to the answer',
    api: {
      flows: [
        flow('/', {
          request: [
            step('policy-assign-attributes', { scope: 'RESPONSE', attributes: [{ name: 'a', value: '1' }] }),
            show('X-A', "#context.attributes['a']"),
          ],
        }),
      ],
    },
    exchanges: [{}, { asked: { headers: { 'x-a': '1' } } }],
  },
  {
    says: 'scope does not bring a step of the answer to the request',
    api: {
      flows: [
        flow('/', {
          response: [
            step('transform-headers', { scope: 'REQUEST', addHeaders: [{ name: 'X-A', value: '1' }] }),
          ],
        }),
      ],
    },
    exchanges: [{}, { headers: { 'x-a': '1' }, asked: { headers: { 'x-a': undefined } } }],
  },
  {
    says: 'a condition that names the answer’s body has it read whole',
    api: {
      flows: [
        flow('/', { response: [set('X-Found', '1', { condition: "{#response.content.contains('Ann')}" })] }),
      ],
    },
    backend: { body: 'Ann was here' },
    exchanges: [{}, { headers: { 'x-found': '1' }, body: 'Ann was here' }],
  },
  {
    says: 'a flow with a tag that the gateway has not runs where it has none',
    api: { flows: [flow('/', { request: [mark('a')] }, { tags: [] }), last] },
    exchanges: [{}, seen('a')],
  },
];

/** What APIs do, about flows. */
export const aboutFlows: Subject = { name: 'flows', rows };
