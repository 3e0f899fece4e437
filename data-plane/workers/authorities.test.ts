import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { bearer } from '../../test/kit/gateway/token-plans.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

test('at a SIGHUP every worker reads the authorities of its calls again; broken ones change nothing', async (t) => {
  const dir = tempDir(t);
  const [own, foreign] = [createAuthority(join(dir, 'own')), createAuthority(join(dir, 'foreign'))];
  const { certFile, keyFile } = own.issue('server');
  const server = createServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    (_asked, answer) => answer.end(JSON.stringify({ active: true, client_id: 'client' })),
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const authorizationServerUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const caFile = join(dir, 'authorities.pem');
  copyFileSync(foreign.caFile, caFile);
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, {
    apis: {
      a: apiDefinition('a', url, {
        plans: [
          { id: 'p', name: 'p', security: { type: 'OAUTH2', configuration: { oauthResource: 'server' } } },
        ],
        resources: [
          {
            name: 'server',
            type: 'oauth2',
            configuration: { authorizationServerUrl, clientId: 'g', clientSecret: 's' },
          },
        ],
      }),
      isthmus: {
        subscriptions: [{ id: 's', api: 'a', plan: 'p', application: 'app', clientId: 'client' }],
      },
    },
    set: [`outbound.caFile=${caFile}`],
  });
  const said = (text: string): number => gateway.process.output().split(text).length - 1;
  /** Asked so often that every worker is. */
  const statuses = async (): Promise<string> => {
    const answers = await Promise.all(Array.from({ length: 24 }, () => gateway.call('/a', bearer('token'))));
    return [...new Set(answers.map(({ status }) => status))].join();
  };
  assert.equal(await statuses(), '503');

  copyFileSync(own.caFile, caFile);
  gateway.process.kill('SIGHUP');
  await eventually(() => said('"taken":["what workers read"]') === 1);
  assert.equal(await statuses(), '200');

  gateway.process.kill('SIGHUP');
  await eventually(() => said('there is nothing that could be taken over') === 1);
  writeFileSync(caFile, 'nothing');
  gateway.process.kill('SIGHUP');
  await eventually(() => said('could not be read again; what was read before stays in use') === 2);
  assert.equal(await statuses(), '200');
});
