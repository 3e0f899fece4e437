import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { methodOf } from '../../../proto/policies/reference/example.ts';
import { backendOf, policyExamples, settingsOf } from '../../kit/policy-examples.ts';
import { tempDir } from '../../kit/temp-dir.ts';
import { startLocalGateway } from '../../kit/gateway/gateway.ts';
import { measuredApis, measuredCall, underLoad } from './under-load.ts';

/** Policies whose example is all about callers who are refused. */
const refusing: ReadonlySet<string> = new Set(['policy-interrupt']);

test('what is measured of each policy is answered again and again, and without the policy as well', async (t) => {
  const shown = policyExamples().map(({ policy, example }) => ({ policy, example: underLoad(example) }));
  const backends = new Map(shown.map(({ policy, example }) => [policy.id, backendOf(example)]));
  const server = createServer((incoming, outgoing) => {
    const [, id = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(incoming.url ?? '') ?? [];
    const { status = 404, headers, body } = backends.get(id)?.(rest) ?? {};
    incoming.resume();
    incoming.on('end', () => outgoing.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { port } = server.address() as AddressInfo;
  const settings = settingsOf(shown, tempDir(t));
  const gateway = await startLocalGateway(t, {
    apis: measuredApis(shown, (id) => `http://127.0.0.1:${port}/${id}`),
    config: { ...settings, listen: { ...(settings['listen'] as object | undefined), eventLoopLagMsMax: 0 } },
  });
  const refused: string[] = [];
  for (const { policy, example } of shown) {
    const { request } = measuredCall(example);
    const { path = '', headers = {}, body } = request;
    const type = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
    const options = {
      method: methodOf(request),
      headers: { Accept: '*/*', ...type, ...headers },
      ...(body !== undefined && { body }),
    };
    for (const id of [policy.id, policy.id, policy.id, `plain-${policy.id}`]) {
      const { status, text } = await gateway.call(`/${id}${path}`, options);
      if (!refusing.has(policy.id) && status >= 400) refused.push(`${id}: ${status} ${text}`);
    }
  }
  assert.deepEqual(refused, []);
});
