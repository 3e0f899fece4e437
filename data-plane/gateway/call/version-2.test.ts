import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { startLocalGateway, version2Definition } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

test('records name the path mapping of version 2', async (t) => {
  const upstream = await startUpstream(t);
  const dataDir = join(tempDir(t), 'data');
  const gateway = await startLocalGateway(t, {
    apis: { a: version2Definition('a', upstream.url, { api: { path_mappings: ['/piers/:pier'] } }) },
    config: { dataDir, report: { enabled: true } },
  });
  await gateway.call('/a/piers/north');
  const [record] = await eventually(async () => {
    const written = await accessRecords(dataDir);
    return written.length === 1 && written;
  });
  assert.equal(record?.['mapped_path'], '/piers/:pier');
});

test('a custom resource and the spelling of the management API serve as well, and what v3 did otherwise is logged once', async (t) => {
  const upstream = await startUpstream(t);
  const resource = `
apiVersion: gravitee.io/v1alpha1
kind: ApiDefinition
metadata: { name: ferries }
spec:
  name: Ferries
  version: "1"
  description: Ferries
  contextRef: { name: none }
  local: true
  proxy:
    virtual_hosts: [{ path: /resource }]
    groups: [{ name: main, endpoints: [{ name: one, target: "${upstream.url}" }] }]
  plans: [{ name: Free, security: KEY_LESS }]
`;
  const marking = {
    policy: 'transform-headers',
    configuration: { addHeaders: [{ name: 'X-Ran-M', value: 'yes' }] },
  };
  const managed = {
    id: 'managed',
    name: 'Managed',
    definitionVersion: 'V2',
    executionMode: 'V3',
    flowMode: 'DEFAULT',
    proxy: {
      virtualHosts: [{ path: '/managed' }],
      groups: [{ name: 'main', endpoints: [{ name: 'one', target: upstream.url }] }],
    },
    plans: [{ id: 'p', name: 'P', security: { type: 'KEY_LESS', configuration: {} } }],
    flows: [{ pathOperator: { path: '/' }, condition: "{#request.method == 'GET'}", pre: [marking] }],
  };
  const gateway = await startLocalGateway(t, { apis: { 'resource.yaml': resource, managed } });
  assert.equal((await gateway.call('/resource')).status, 200);
  assert.match((await gateway.call('/managed')).text, /x-ran-m/);
  const logged = gateway.logged.filter((line) => line.includes('once more for the answer'));
  assert.equal(logged.length, 1, logged.join());
});

test('what this version does not run is refused in the words and at the places of version 2, and answers 503 there', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: {
      a: version2Definition('a', 'http://127.0.0.1:1', {
        api: { services: { surprise: { enabled: true } } },
      }),
    },
  });
  assert.equal((await gateway.call('/a/x')).status, 503);
  assert.ok(gateway.logged.some((line) => line.includes('services.surprise')));
});
