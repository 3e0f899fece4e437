import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { withManagement } from './management.ts';

test('a creation whose connection breaks is sent once more under its key; what is no creation is not', async (t) => {
  for (const way of ['call', 'open'] as const) {
    const seen: { readonly method: string | undefined; readonly key: string | string[] | undefined }[] = [];
    const server = createServer((request, response) => {
      const { method, headers } = request;
      seen.push({ method, key: headers['idempotency-key'] });
      request.resume().on('end', () => {
        if (seen.length === 2)
          response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":"one"}');
        else request.socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await withManagement(url, { token: 'istp_x' }, async (management) => {
      const made = await management[way]({ method: 'POST', path: '/x', body: {} });
      assert.ok('body' in made, way);
      assert.deepEqual(made.body, { id: 'one' });
      const [first, second] = seen;
      assert.ok(typeof first?.key === 'string' && first.key.length === 36);
      assert.equal(second?.key, first.key);
      await assert.rejects(management[way]({ method: 'PUT', path: '/x', body: {} }), {
        code: 'client.unreachable',
      });
      assert.deepEqual(seen.slice(2), [{ method: 'PUT', key: undefined }]);
    });
  }
});
