import type { ExpressionScope, ScopeHeaders, Surroundings } from '../../../proto/expression/scope.ts';

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

/** An API with two properties, on a gateway that knows two dictionaries and one secret. */
export const kitSurroundings: Surroundings = {
  api: {
    id: 'shop',
    name: 'Shop',
    version: '1.2',
    properties: new Map([
      ['env', 'prod'],
      ['limit', '100'],
    ]),
  },
  endpoints: new Map([
    ['default', 'default:'],
    ['second', 'second:'],
  ]),
  dictionaries: new Map([['countries', new Map([['fr', 'France']])]]),
  node: { id: 'gw-1', version: '4', tenant: undefined, zone: 'west', shardingTags: ['dmz', 'eu'] },
  secrets: {
    get: (path, key) =>
      path === '/env/TOKEN' && key === undefined
        ? { value: 's3cret' }
        : { why: `there is no secret ${path}` },
  },
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
  connection: {
    httpVersion: '1.1',
    localAddress: '10.0.0.1',
    remotePort: 50_007,
    clientCertificate: { subject: 'C=FR, O=Acme\\, Inc, OU=it, OU=eu, CN=orders' },
    serverSubject: 'CN=api.acme.com',
  },
  pathParams: new Map([['id', ['42']]]),
  subscription: { id: 'sub-1', clientId: 'c-1', applicationName: 'App', metadata: { tier: 'gold' } },
  surroundings: kitSurroundings,
});
