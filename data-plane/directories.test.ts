import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { createGuard } from '../proto/process/outbound/guard.ts';
import { authProviderLdap, directoryPlaceOf } from '../proto/resources/auth-provider-ldap-resource.ts';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { gatewayConfigSchema } from './config.ts';
import { createDirectories } from './directories.ts';

test('a name that leads where nobody may call is asked for nothing, each time it is looked up', async (t) => {
  let connections = 0;
  const server = createServer((socket) => void ((connections += 1), socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const guard = createGuard('local', { allow: [], deny: ['127.0.0.1', '::1'], setting: 'upstream' });
  const { config } = authProviderLdap;
  const place = directoryPlaceOf(
    config.parse({
      contextSourceUrl: `ldap://localhost:${port}`,
      contextSourceBase: 'dc=acme',
      contextSourceUsername: 'cn=root,dc=acme',
      contextSourcePassword: 'of-root',
    }),
  );
  const open = createDirectories({ config: gatewayConfigSchema.parse({}), guard, clock: createFakeClock() });
  const directory = open.open(place);
  for (let count = 0; count < 2; count += 1) {
    const said = await directory.login({ username: 'ada', password: 'x' });
    assert.ok(
      said.kind === 'unavailable' && said.why.startsWith('outbound.refused_address'),
      JSON.stringify(said),
    );
  }
  directory.close();
  assert.equal(connections, 0);
});
