import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { Router } from './match.ts';

const at = (paths: readonly object[]) => ({
  listeners: [{ type: 'http', paths, entrypoints: [{ type: 'http-proxy' }] }],
});

/** host, path -> which API, and what its backend is asked for. */
const cases: readonly (readonly [host: string, path: string, api: string | undefined, target?: string])[] = [
  ['a.com', '/orders', 'orders', '/orders-backend'],
  ['a.com', '/orders/', 'orders', '/orders-backend/'],
  ['a.com', '/orders/7', 'orders', '/orders-backend/7'],
  ['a.com', '/orders//7', 'orders', '/orders-backend//7'],
  ['a.com', '/orders/7?x=%20&y', 'orders', '/orders-backend/7?x=%20&y'],
  ['a.com', '/orders?', 'orders', '/orders-backend?'],
  ['a.com', '/orders/a%2Fb', 'orders', '/orders-backend/a%2Fb'],
  ['a.com', '/ordersX', undefined],
  ['a.com', '/order', undefined],
  ['a.com', '/ORDERS', undefined],
  ['a.com', '/', undefined],
  ['a.com', '/orders/archive', 'archive', '/archive-backend'],
  ['a.com', '/orders/archive/1', 'archive', '/archive-backend/1'],
  ['a.com', '/orders/archived', 'orders', '/orders-backend/archived'],
  ['own.com', '/orders', 'own', '/own-backend'],
  ['OWN.com:8080', '/orders/1', 'own', '/own-backend/1'],
  ['own.com', '/orders/archive', 'own', '/own-backend/archive'],
  ['own.com', '/other', 'root-of-own', '/other'],
  ['own.com', '/', 'root-of-own', '/'],
  ['other.own.com', '/orders', 'orders', '/orders-backend'],
];

test('a request goes to the virtual host first, then to the longest context path on a segment boundary', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      orders: apiDefinition('orders', `${upstream.url}/orders-backend`),
      archive: apiDefinition(
        'archive',
        `${upstream.url}/archive-backend/`,
        at([{ path: '/orders/archive/' }]),
      ),
      own: apiDefinition('own', `${upstream.url}/own-backend`, at([{ host: 'Own.com', path: '/orders' }])),
      root: apiDefinition('root-of-own', upstream.url, at([{ host: 'own.com', path: '/' }])),
    },
  });
  for (const [host, path, api, target] of cases) {
    const answer = await gateway.call(path, { headers: { host } });
    if (api === undefined) {
      assert.equal(answer.status, 404, `${host}${path}`);
      assert.equal(answer.text, 'No context-path matches the request URI.');
      continue;
    }
    assert.equal(answer.status, 200, `${host}${path}: ${answer.text}`);
    const asked = (JSON.parse(answer.text) as { url: string }).url;
    // A context path that ends in a slash at the target keeps it when nothing follows.
    const expected = target === '/archive-backend' ? '/archive-backend/' : target;
    assert.equal(asked, expected, `${host}${path}`);
  }
});

test('finding one of 10,000 APIs costs no more than finding one of 10', () => {
  const routerOf = (count: number): Router<number> => {
    const router = new Router<number>();
    for (let n = 0; n < count; n += 1) router.set(undefined, `/team-${n % 100}/api-${n}`, n);
    return router;
  };
  const small = routerOf(10);
  const large = routerOf(10_000);
  const timeOf = (router: Router<number>): number => {
    const startedMs = performance.now();
    for (let n = 0; n < 200_000; n += 1) router.match('a.com', '/team-7/api-7/orders/1');
    return performance.now() - startedMs;
  };
  timeOf(small);
  timeOf(large);
  assert.equal(large.match('a.com', '/team-99/api-9999/x')?.target, 9_999);
  // Generous: it is about growth (a scan would be 1,000 times dearer), not about nanoseconds on a busy machine.
  assert.ok(timeOf(large) < 20 * timeOf(small) + 50);
});

test('places that come and go leave the router as one that was made of what is left', () => {
  const seed = Math.trunc(performance.timeOrigin + performance.now()) % 2 ** 31;
  const below = randomBelow(seed);
  const names = ['', 'a', 'b', 'c'];
  const pathOf = (): string =>
    `/${[0, 1, 2]
      .map(() => names[below(4)])
      .filter(Boolean)
      .join('/')}`;
  const hostOf = (): string | undefined => ['x.com', 'y.com', undefined][below(3)];
  const router = new Router<number>();
  const left = new Map<
    string,
    { readonly host: string | undefined; readonly path: string; readonly target: number }
  >();
  for (let turn = 0; turn < 2_000; turn += 1) {
    const [host, path] = [hostOf(), pathOf()];
    if (below(2) === 0) {
      router.delete(host, path);
      left.delete(`${host} ${path}`);
    } else {
      router.set(host, path, turn);
      left.set(`${host} ${path}`, { host, path, target: turn });
    }
    const fresh = new Router<number>();
    for (const place of left.values()) fresh.set(place.host, place.path, place.target);
    const asked = [hostOf() ?? 'z.com', `${pathOf()}/${names[below(4)]}`] as const;
    assert.deepEqual(
      router.match(...asked),
      fresh.match(...asked),
      `${asked.join('')} in turn ${turn}, seed ${seed}`,
    );
  }
});

/** A stream of whole numbers below a bound, the same for the same seed. */
function randomBelow(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return (state >>> 8) % bound;
  };
}
