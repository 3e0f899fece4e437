import type { ExpressionScope, ScopeHeaders } from '../../../proto/expression/scope.ts';

const headersOf = (lines: readonly (readonly [name: string, value: string])[]): ScopeHeaders => {
  const all = (name: string): readonly string[] =>
    lines.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  return {
    get: (name) => all(name)[0],
    getAll: all,
    forEach: (visit) => lines.forEach(([name]) => visit(name)),
  };
};

const order = {
  customer: { name: 'Ann "A" Lee', tags: ['gold', 'eu'], age: 35, vip: true, x: null },
  lines: [
    { sku: 'a1', qty: 2, price: 9.5 },
    { sku: 'b2', qty: 1, price: 20 },
  ],
};

/** POST /shop/orders/42, answered; each is a request of its own, with a budget of its own. */
export const expressionScope = (): ExpressionScope => ({
  request: {
    id: 'rq-1',
    transactionId: 'tx-1',
    method: 'POST',
    path: '/shop/orders/42',
    pathInfo: '/orders/42',
    contextPath: '/shop',
    query: 'page=3&f=a&f=b&q=a%20b+c&__proto__=p',
    host: 'api.example.com',
    scheme: 'https',
    remoteAddress: '10.0.0.7',
    headers: headersOf([
      ['X-Tenant', 'acme'],
      ['X-Tag', 'red'],
      ['X-Tag', 'blue'],
      ['X-Empty', ''],
    ]),
    content: Buffer.from(JSON.stringify(order)),
  },
  response: { status: 204, headers: headersOf([['Server', 'x']]), content: undefined },
  attributes: new Map<string, unknown>([
    ['plan', 'gold'],
    ['n', '7'],
    ['i', 7],
    ['roles', ['admin', 'dev']],
    ['gravitee.attribute.custom', 'prefixed'],
    ['claims', { sub: 'me', groups: ['a'], deep: { x: 1.5 } }],
  ]),
  startedAtMs: 1_795_923_842_207.25,
});
