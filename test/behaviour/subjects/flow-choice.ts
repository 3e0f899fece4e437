import { at, flow, keyless, mark, plans, show } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

const order = show('X-Order', "#context.attributes['order'] ?: 'none'");
const seen = (value: string) => ({ asked: { headers: { 'x-order': value } } });

const rows: readonly Row[] = [
  {
    says: 'best match: the flow with the most literal segments alone runs',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/', { request: [mark('a'), order] }),
        flow('/books', { request: [mark('b'), order] }),
        flow('/books/:id', { request: [mark('c'), order] }),
        flow('/books/9', { request: [mark('d'), order] }),
      ],
    },
    exchanges: [
      [{ path: '/books/9' }, seen('d')],
      [{ path: '/books/8' }, seen('c')],
      [{ path: '/books' }, seen('b')],
      [{ path: '/other' }, seen('a')],
    ],
  },
  {
    says: 'best match compares segment by segment: a literal first beats a literal later',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/books/:bookId/chapters/:chapterId', { request: [mark('a'), order] }),
        flow('/books/9999/chapters', { request: [mark('b'), order] }),
      ],
    },
    exchanges: [
      [{ path: '/books/9999/chapters/1' }, seen('b')],
      [{ path: '/books/1/chapters/1' }, seen('a')],
    ],
  },
  {
    says: 'best match: conditions filter before the choice',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/books', { request: [mark('a'), order] }),
        flow(
          '',
          { request: [mark('b'), order] },
          {
            selectors: [
              { type: 'http', path: '/books/9', pathOperator: 'STARTS_WITH', methods: [] },
              { type: 'condition', condition: "{#request.headers['x-on'] != null}" },
            ],
          },
        ),
      ],
    },
    exchanges: [
      [{ path: '/books/9', headers: { 'x-on': '1' } }, seen('b')],
      [{ path: '/books/9' }, seen('a')],
    ],
  },
  {
    says: 'best match: methods filter before the choice',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/books', { request: [mark('a'), order] }),
        flow('', { request: [mark('b'), order] }, at('/books/9', 'STARTS_WITH', ['POST'])),
      ],
    },
    exchanges: [{ path: '/books/9' }, seen('a')],
  },
  {
    says: 'best match: of two equal flows the first runs',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [flow('/a', { request: [mark('a'), order] }), flow('/a', { request: [mark('b'), order] })],
    },
    exchanges: [{ path: '/a' }, seen('a')],
  },
  {
    says: 'matchRequired: a request that no flow matches is 404',
    api: {
      flowExecution: { mode: 'default', matchRequired: true },
      flows: [flow('/known', { request: [mark('a')] })],
    },
    exchanges: [
      [{ path: '/known' }, { status: 200 }],
      [{ path: '/other' }, { status: 404, asked: false }],
    ],
  },
  {
    says: 'matchRequired holds with best match too',
    api: {
      flowExecution: { mode: 'best-match', matchRequired: true },
      flows: [flow('/known', { request: [mark('a')] })],
    },
    exchanges: [{ path: '/other' }, { status: 404, asked: false }],
  },
  {
    says: 'path parameters of all matching flows are known before the first step runs',
    api: {
      flows: [
        flow('/', { request: [show('X-Id', "#request.pathParams['id'][0]")] }),
        flow('/books/:id', { request: [] }),
      ],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': '42' } } }],
  },
  {
    says: 'those of flows of the API are known to the plan’s',
    api: {
      ...plans(keyless({ flows: [flow('/', { request: [show('X-Id', "#request.pathParams['id'][0]")] })] })),
      flows: [flow('/books/:id', { request: [] })],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': '42' } } }],
  },
  {
    says: 'a disabled flow gives no path parameters',
    api: {
      flows: [
        flow('/', { request: [show('X-Id', "#request.pathParams['id']?.[0] ?: 'none'")] }),
        flow('/books/:id', { request: [] }, { enabled: false }),
      ],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': 'none' } } }],
  },
  {
    says: 'a disabled flow of a plan gives no path parameters either',
    api: {
      ...plans(keyless({ flows: [flow('/books/:id', { request: [] }, { enabled: false })] })),
      flows: [flow('/', { request: [show('X-Id', "#request.pathParams['id']?.[0] ?: 'none'")] })],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': 'none' } } }],
  },
  {
    says: 'best match does not choose a disabled flow, nor know its path parameters',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/books', { request: [show('X-Id', "#request.pathParams['id']?.[0] ?: 'none'")] }),
        flow('/books/:id', { request: [mark('b')] }, { enabled: false }),
      ],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': 'none' } } }],
  },
  {
    says: 'path parameters are known to the flow that was chosen even if another one has them',
    api: {
      flowExecution: { mode: 'best-match' },
      flows: [
        flow('/books/9', { request: [show('X-Id', "#request.pathParams['id'][0]")] }),
        flow('/books/:id', { request: [mark('b')] }),
      ],
    },
    exchanges: [{ path: '/books/9' }, { asked: { headers: { 'x-id': '9' } } }],
  },
  {
    says: 'a flow for another method gives no path parameters',
    api: {
      flows: [
        flow('/', { request: [show('X-Id', "#request.pathParams['id']?.[0] ?: 'none'")] }),
        flow('', { request: [] }, at('/books/:id', 'STARTS_WITH', ['POST'])),
      ],
    },
    exchanges: [{ path: '/books/42' }, { asked: { headers: { 'x-id': 'none' } } }],
  },
];

/** What APIs do, about choice of flows. */
export const aboutFlowChoice: Subject = { name: 'choice of flows', rows };
