import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const asked = (text: string) => JSON.parse(text) as { url: string; headers: Record<string, string> };

test('a path mapping names the path in records, and a null byte in a query is refused where rejectNullByte says so', async (t) => {
  const { url } = await startUpstream(t);
  const dataDir = join(tempDir(t), 'data');
  const listener = (id: string, more: object) => ({
    listeners: [
      { type: 'http', paths: [{ path: `/${id}` }], entrypoints: [{ type: 'http-proxy' }], ...more },
    ],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      mapped: apiDefinition('mapped', url, listener('mapped', { pathMappings: ['/orders/:id'] })),
      strict: apiDefinition(
        'strict',
        url,
        listener('strict', { requestValidation: { rejectNullByte: true } }),
      ),
      lax: apiDefinition('lax', url, listener('lax', { requestValidation: { rejectNullByte: false } })),
    },
    config: { dataDir, report: { enabled: true } },
  });
  assert.equal((await gateway.call('/mapped/orders/17')).status, 200);
  const [record] = await eventually(async () => {
    const records = await accessRecords(dataDir);
    return records.length > 0 && records;
  });
  assert.equal(record?.['mapped_path'], '/orders/:id');
  assert.equal((await gateway.call('/strict/a?b=%00')).status, 400);
  assert.equal((await gateway.call('/lax/a?b=%00')).status, 200);
  // In a path nobody's listener lets it pass.
  assert.equal((await gateway.call('/lax/a%00b')).status, 400);
});

test('the client’s Accept-Encoding reaches the backend unless useCompression and propagateClientAcceptEncoding are both off', async (t) => {
  const { url } = await startUpstream(t);
  const group = (http: object, headers: readonly object[] = []) => ({
    endpointGroups: [
      {
        name: 'default-group',
        type: 'http-proxy',
        sharedConfiguration: { http, headers },
        endpoints: [{ name: 'default', type: 'http-proxy', configuration: { target: url } }],
      },
    ],
  });
  const off = { useCompression: false };
  const own = [{ name: 'Accept-Encoding', value: 'br' }];
  const rows: readonly (readonly [string, object, string | undefined])[] = [
    ['plain', group({}), 'gzip'],
    ['off', group(off), undefined],
    ['propagating', group({ ...off, propagateClientAcceptEncoding: true }), 'gzip'],
    ['own', group(off, own), 'br'],
  ];
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(rows.map(([id, more]) => [id, apiDefinition(id, url, { ...more })])),
  });
  for (const [id, , expected] of rows) {
    const { text } = await gateway.call(`/${id}`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(asked(text).headers['accept-encoding'], expected, id);
  }
});

test('a request goes to the target of the first group, what inherits no configuration has its own, and groups that get none are told of', async (t) => {
  const [first, second] = [await startUpstream(t), await startUpstream(t)];
  const header = (value: string) => ({ headers: [{ name: 'X-From', value }] });
  const group = (name: string, target: string, inheritConfiguration: boolean) => ({
    name,
    type: 'http-proxy',
    sharedConfiguration: header('group'),
    endpoints: [
      {
        name: `${name}-endpoint`,
        type: 'http-proxy',
        inheritConfiguration,
        configuration: { target: `${target}/base` },
        sharedConfigurationOverride: header('endpoint'),
      },
    ],
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      own: apiDefinition('own', first.url, { endpointGroups: [group('a', first.url, false)] }),
      two: apiDefinition('two', first.url, {
        endpointGroups: [group('a', first.url, true), group('b', second.url, true)],
      }),
    },
  });
  for (let n = 0; n < 4; n += 1) {
    const { text } = await gateway.call('/two/x');
    assert.deepEqual([asked(text).url, asked(text).headers['x-from']], ['/base/x', 'group']);
  }
  assert.equal(asked((await gateway.call('/own')).text).headers['x-from'], 'endpoint');
  assert.equal(second.requests.length, 0);
  assert.ok(gateway.logged.some((line) => line.includes('endpointGroups[1] gets no request')));
});

test('a flow or a step that is not enabled does not run', async (t) => {
  const { url } = await startUpstream(t);
  const mark = (value: string): readonly [string, object] => [
    'transform-headers',
    { addHeaders: [{ name: `X-${value}`, value }] },
  ];
  const [on, off] = [flow('/', { request: [mark('on')] }), flow('/', { request: [mark('off')] })];
  const steps = flow('/', { request: [mark('step'), mark('idle')] }) as { request: object[] };
  const request = steps.request.map((step, index) => ({
    ...step,
    policy: 'transform-headers',
    enabled: index === 0,
  }));
  const flows = [on, { ...off, enabled: false }, { ...steps, request }];
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', url, { flows }) } });
  const { headers } = asked((await gateway.call('/a')).text);
  assert.deepEqual(
    [headers['x-on'], headers['x-off'], headers['x-step'], headers['x-idle']],
    ['on', undefined, 'step', undefined],
  );
});
