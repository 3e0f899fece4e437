import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { askHttp2, openHttp2 } from '../../../test/kit/engine/http2.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { fieldCases } from '../conformance/cases/fields.ts';

/** What HTTP/1.1 promises of clients, asked of those of HTTP/2 through a gateway. */

/** Values by name of a head of HTTP/1.1, Host left out; as HTTP/2 spells them. */
function fieldsOf(bytes: string): Map<string, string[]> {
  const [, ...lines] = bytes.slice(0, bytes.indexOf('\r\n\r\n')).split('\r\n');
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [name = '', value = ''] = line.split(': ');
    const lowerName = name.toLowerCase();
    if (lowerName !== 'host') fields.set(lowerName, [...(fields.get(lowerName) ?? []), value]);
  }
  return fields;
}

test('a header beside its twin is refused and recorded as in HTTP/1.1, in every spelling; alone it passes', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', upstream.url) },
    config: { listen: { http2: { clearText: true } }, report: { enabled: true } },
  });
  const client = openHttp2(t, gateway.port);
  const rows = fieldCases
    .filter(({ section }) => section === 'RFC 3875 4.1.18')
    .map(({ name, bytes, expect }) => ({ name, fields: fieldsOf(bytes), isRefused: 'refused' in expect }))
    // A field that HTTP/2 itself forbids.
    .filter(({ fields }) => !fields.has('transfer-encoding'));
  for (const { name, fields, isRefused } of rows) {
    const body = fields.has('content-length') ? { body: 'hello' } : {};
    const headers = { ':path': '/a', ':method': 'POST', ...Object.fromEntries(fields) };
    const answer = await askHttp2(client, headers, body);
    assert.equal(answer.status, isRefused ? 400 : 200, name);
    if (isRefused) continue;
    const seen = JSON.parse(answer.text) as { readonly headers: Readonly<Record<string, string>> };
    for (const [field, values] of fields) assert.equal(seen.headers[field], values.join(', '), name);
  }
  await gateway.close();
  const refused = rows.filter(({ isRefused }) => isRefused).length;
  assert.ok(refused > 10 && refused < rows.length);
  const records = await accessRecords(join(gateway.folder, '../data'));
  assert.equal(
    records.filter((record) => record['error_message'] === 'header-alias').length,
    refused,
    'each has its reason on record',
  );
});

for (const isTls of [false, true])
  test(`connections of HTTP/2 ${isTls ? 'over TLS' : 'in clear text'} count for their source beside those of HTTP/1.1, and make room when they end`, async (t) => {
    const { url } = await startUpstream(t);
    const pair = createAuthority(join(tempDir(t), 'ca')).issue('server');
    const gateway = await startLocalGateway(t, {
      apis: { a: apiDefinition('a', url) },
      config: {
        listen: {
          connectionsPerSourceMax: 2,
          ...(isTls ? { tls: { ...pair, alpn: ['h2', 'http/1.1'] } } : { http2: { clearText: true } }),
        },
      },
    });
    const open = (localAddress = '127.0.0.1'): ClientHttp2Session =>
      openHttp2(t, gateway.port, { isTls, localAddress });
    /** undefined when the connection is turned away. */
    const statusOf = async (client: ClientHttp2Session): Promise<number | undefined> => {
      if (client.connecting)
        await Promise.race([once(client, 'connect'), once(client, 'close')]).catch(() => undefined);
      if (client.destroyed) return undefined;
      return (await askHttp2(client, { ':path': '/a' }).catch(() => undefined))?.status;
    };
    const first = open();
    assert.equal(await statusOf(first), 200);
    // One that says nothing, of whatever version it would be.
    const silent = connect({ port: gateway.port, host: '127.0.0.1', localAddress: '127.0.0.1' });
    t.after(() => silent.destroy());
    await once(silent, 'connect');
    await eventually(async () => {
      const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
      return /^isthmus_gateway_connections 2$/m.test(metrics);
    });
    assert.equal(await statusOf(open()), undefined);
    const other = open('127.0.0.2');
    assert.equal(await statusOf(other), 200);
    assert.equal(await statusOf(first), 200, 'who is there stays');
    first.destroy();
    await eventually(async () => (await statusOf(open())) === 200);
  });
