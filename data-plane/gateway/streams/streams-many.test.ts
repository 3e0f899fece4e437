import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import type { Exchange } from '../../http/exchange.ts';
import { Streams } from './streams.ts';

test('a change looks at the streams of what it changed and at no others, of 10,000', async () => {
  const clock = createFakeClock();
  let judged = 0;
  const judge = (): { readonly kind: 'holds'; readonly untilMs: number } => (
    (judged += 1),
    { kind: 'holds', untilMs: Infinity }
  );
  const streams = new Streams({ clock, lifeMsMax: 0, judge, onThrown: assert.ifError });
  const all = Array.from({ length: 10_000 }, (_, at) => {
    const exchange: Pick<Exchange, 'beforeEnd' | 'end'> = { beforeEnd: undefined, end: () => undefined };
    const call = { exchange: exchange as Exchange, errorKey: undefined, errorMessage: undefined };
    const owner = {
      deployed: { environment: 'dev', id: `api-${at % 100}` },
      plan: { id: 'p', securityType: 'API_KEY' },
      subscription: { id: `s-${at}` },
      proof: undefined,
      request: { host: 'h', path: '/' },
    };
    const stream = streams.create(call, owner, 'tunnel');
    stream.begin();
    return call;
  });
  judged = 0;
  streams.review('dev', { apis: [], subscriptions: ['s-77', 'nobody'] });
  assert.equal(judged, 1);
  streams.review('dev', { apis: ['api-5'], subscriptions: [] });
  assert.equal(judged, 101);
  streams.review('prod', { apis: ['api-5'], subscriptions: ['s-1'] });
  assert.equal(judged, 101);
  streams.review('dev', undefined);
  assert.equal(judged, 10_101);
  const outcome = { kind: 'complete', status: 101, requestBytes: 0, responseBytes: 0, totalUs: 1 } as const;
  for (const { exchange } of all) void exchange.beforeEnd?.onEnd(outcome);
  assert.equal(streams.size, 0);
});
