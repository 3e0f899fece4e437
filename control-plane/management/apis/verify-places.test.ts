import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { apiBody, basic, environment, openOffice } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `paths are said to be free, taken or wrong before they are asked for (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { body: api } = await office.call('POST', `${environment}/apis`, { body: apiBody('/a') });
      const id = String(api['id']);
      const inside = apiBody('/inside', {
        listeners: [
          {
            type: 'HTTP',
            paths: [{ path: '/in' }],
            entrypoints: [{ type: 'http-proxy' }],
            servers: ['inside'],
          },
        ],
      });
      await office.call('POST', `${environment}/apis`, { body: inside });
      const verify = (body: object, as?: string) =>
        office.call('POST', `${environment}/apis/_verify/paths`, { body, ...(as && { as }) });
      const rows: readonly (readonly [body: object, reason: RegExp | undefined])[] = [
        [{ paths: [{ path: '/b' }, { path: '/a/b' }, { path: '/a', host: 'other.example' }] }, undefined],
        [{ paths: [] }, undefined],
        [{ paths: [{ path: '/b' }, { path: '/A' }] }, undefined],
        [{ paths: [{ path: '/a/' }] }, /^The API "api \/a" \(.*\) has \/a\/\.$/],
        [{ paths: [{ path: '/a' }], apiId: id }, undefined],
        [{ paths: [{ path: '/b/' }, { path: '/b' }] }, /twice/],
        [{ paths: [{ path: '/b b' }] }, /^paths\[0\]\.path must/],
        [{ paths: [{ path: '/b' }, { path: 'c' }] }, /^paths\[1\]\.path must/],
        [{ paths: [{ path: '/b', host: 'no host' }] }, /^paths\[0\]\.host must/],
        [{ paths: [{ path: '/in' }] }, /has \/in\/ on server inside/],
      ];
      for (const [body, reason] of rows) {
        const { status, body: said } = await verify(body);
        assert.deepEqual([status, said['ok']], [200, reason === undefined], JSON.stringify([body, said]));
        if (reason !== undefined) assert.match(String(said['reason']), reason);
      }
      const user = { username: 'ann', password: 'a password of twelve', role: 'USER' };
      await office.call('POST', '/management/organizations/DEFAULT/users', { body: user });
      const as = basic('ann', user.password);
      const { body: strange } = await verify({ paths: [{ path: '/a' }] }, as);
      assert.equal(strange['reason'], 'Another API of this environment has /a/.');
      assert.equal((await verify({ paths: [{ path: '/a' }], apiId: id }, as)).status, 403);
    },
  );

  test(`hosts of TCP and Kafka APIs are verified alike (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const tcp = (hosts: readonly string[]) =>
      apiBody('/x', {
        name: 'tcp',
        listeners: [{ type: 'TCP', hosts, entrypoints: [{ type: 'tcp-proxy' }] }],
      });
    const { body: api } = await office.call('POST', `${environment}/apis`, {
      body: tcp(['A.example', 'b.example']),
    });
    const rows: readonly (readonly [body: object, reason: RegExp | undefined])[] = [
      [{ hosts: ['c.example'] }, undefined],
      [{ hosts: ['a.EXAMPLE'] }, /The API "tcp" \(.*\) has a\.example\./],
      [{ hosts: ['a.example'], apiId: api['id'] }, undefined],
      [{ hosts: ['a.example'], listenerType: 'KAFKA' }, undefined],
      [{ hosts: ['c.example', 'C.example'] }, /twice/],
      [{ hosts: ['no host'] }, /host name/],
      [{ hosts: [] }, /At least one/],
      [{ hosts: ['c.example'], listenerType: 'HTTP' }, /HTTP/],
    ];
    for (const [body, reason] of rows) {
      const { status, body: said } = await office.call('POST', `${environment}/apis/_verify/hosts`, { body });
      assert.deepEqual([status, said['ok']], [200, reason === undefined], JSON.stringify([body, said]));
      if (reason !== undefined) assert.match(String(said['reason']), reason);
    }
  });
}
