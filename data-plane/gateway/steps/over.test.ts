import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { Policy } from '../../policies/policy.ts';

/** Hooks that wait hear at once that their request is over, through the front door. */

const requests = {
  'without a body': 'GET /api HTTP/1.1\r\nHost: h\r\n\r\n',
  'with its body sent': 'POST /api HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody',
  'with half of its body sent': 'POST /api HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf',
};
/** More than its socket takes while nobody reads: it is not asked then whether its client is there. */
const unread = `POST /api HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n${'b'.repeat(4_000_000)}`;

/** Waits in its phase until the request is over. */
function waiter(phase: 'request' | 'around') {
  const seen = { waiting: 0, left: 0, ended: 0 };
  const wait = async (over: AbortSignal): Promise<void> => {
    seen.waiting += 1;
    if (!over.aborted) await once(over, 'abort');
    seen.left += 1;
  };
  const policy: Policy = {
    ...(phase === 'request'
      ? { request: { needs: 'head', run: (call) => wait(call.over).then(() => undefined) } }
      : {
          around: {
            needs: 'head',
            run: async (call, next) => {
              await wait(call.over);
              return next();
            },
          },
        }),
    end: () => void (seen.ended += 1),
  };
  return { seen, policy };
}

for (const phase of ['request', 'around'] as const)
  describe(`a hook that waits (${phase}) hears of a client that leaves`, () => {
    for (const how of ['fin', 'reset'] as const)
      for (const [when, request] of Object.entries(requests))
        test(`by ${how}, ${when}`, async (t) => {
          const { seen, policy } = waiter(phase);
          const { port, backend } = await startServingParts(t, { api: policy });
          const client = await openPeer(t, { port, from: '127.0.0.1' }, request);
          await eventually(() => seen.waiting === 1);
          client.leave(how);
          await eventually(() => seen.ended === 1);
          assert.deepEqual(seen, { waiting: 1, left: 1, ended: 1 });
          assert.equal(backend.accepted(), 0, 'it goes no further');
        });

    test('or of its deadline, which answers it', async (t) => {
      const { seen, policy } = waiter(phase);
      const { port } = await startServingParts(t, { api: policy }, { timeoutMs: 50 });
      const client = await openPeer(t, { port, from: '127.0.0.1' }, requests['without a body']);
      await client.until('\r\n\r\n');
      assert.match(client.text, /^HTTP\/1\.1 504 /);
      await eventually(() => seen.ended === 1);
      assert.deepEqual(seen, { waiting: 1, left: 1, ended: 1 });
    });

    test('and by its deadline of one that left a body behind that nobody reads', async (t) => {
      const { seen, policy } = waiter(phase);
      const { port } = await startServingParts(t, { api: policy }, { timeoutMs: 500 });
      const client = await openPeer(t, { port, from: '127.0.0.1' }, unread);
      await eventually(() => seen.waiting === 1);
      client.leave('reset');
      await eventually(() => seen.ended === 1);
      assert.deepEqual(seen, { waiting: 1, left: 1, ended: 1 });
    });
  });
