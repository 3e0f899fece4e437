import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { hidingTargets } from '../../proto/model/redaction-fixtures.ts';
import { accessRecords, logRecords } from '../kit/gateway/access-records.ts';
import { eventually } from '../kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../kit/gateway/gateway.ts';
import { logging } from '../kit/gateway/logging-gateway.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

/** Sends bytes as they are and says what came back until the gateway closed; a tunnel is closed by us. */
function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (text.includes(' 101 ')) socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

test('a key in a target stands in no spool, log, metric or node API, whoever answered and however early', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      open: apiDefinition('open', upstream.url, logging()),
      keyed: apiDefinition('keyed', upstream.url, {
        ...logging(),
        plans: { keys: { id: 'keys', name: 'Keys', security: { type: 'API_KEY' } } },
      }),
      refused: apiDefinition('refused', 'http://user:SECRET@127.0.0.1:1/x?api-key=SECRET', logging()),
      gone: apiDefinition('gone', 'http://127.0.0.1:1/x?api-key=SECRET'),
    },
    config: {
      report: { enabled: true, secretParameters: ['kundennummer'] },
      listen: { requestLineBytesMax: 8_192, idleMsMax: 300 },
    },
  });
  const dataDir = join(gateway.folder, '../data');
  const host = `Host: localhost\r\nConnection: close\r\n`;
  const lines: string[] = [];
  for (const target of hidingTargets) {
    for (const api of ['nowhere', 'open', 'keyed', 'gone'])
      lines.push(`GET ${target.replaceAll('nowhere', api)} HTTP/1.1\r\n${host}\r\n`);
  }
  const query = 'x?api-key=SECRET';
  lines.push(
    `CONNECT user:SECRET@host:443 HTTP/1.1\r\n${host}\r\n`,
    `CONNECT /${query} HTTP/1.1\r\n${host}\r\n`,
    `GET http://localhost/${query} HTTP/1.1\r\n${host}\r\n`,
    `GET http://user:SECRET@localhost/${query} HTTP/1.1\r\n${host}\r\n`,
    `GET /${query} HTTP/1.1\r\nHost: user:SECRET@localhost\r\nConnection: close\r\n\r\n`,
    `GET /${query} HTTP/9.9\r\n${host}\r\n`,
    `GET /${query}\r\n${host}\r\n`,
    `GET /${query}\n\n`,
    `GET /${query} SECRET HTTP/1.1\r\n${host}\r\n`,
    `GET /${query} HTTP/1.1\r\n\r\n`,
    `GET /%${query} HTTP/1.1\r\n${host}\r\n`,
    `GET /${query}${'y'.repeat(9_000)} HTTP/1.1\r\n${host}\r\n`,
    `BAD(METHOD /${query} HTTP/1.1\r\n${host}\r\n`,
    `POST /open/${query} HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `GET /open/${query} HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    `OPTIONS /open/${query} HTTP/1.1\r\n${host}Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n\r\n`,
  );
  for (const line of lines) await send(gateway.port, line);
  const records = await eventually(async () => {
    const found = await accessRecords(dataDir);
    return found.length >= lines.length && found;
  });
  assert.equal(records.length, lines.length, 'each of them has a record');
  assert.ok(records.some(({ uri }) => uri === '/nowhere?api-key=***'));
  assert.ok(records.some(({ uri, status }) => uri === '/keyed?API-KEY=***' && status === 401));
  const logged = await eventually(async () => {
    const found = await logRecords(dataDir);
    return found.some(({ api_id: api }) => api === 'keyed') && found;
  });
  assert.ok(logged.some(({ endpoint_request_uri: uri }) => String(uri).includes('api-key=***')));
  const seen = [
    ...globSync('**/*', { cwd: dataDir })
      .map((name) => join(dataDir, name))
      .filter((path) => statSync(path).isFile() && !path.includes('.db'))
      .map((path) => readFileSync(path, 'latin1')),
    ...gateway.logged,
    ...(await Promise.all(
      ['/metrics', '/health', '/apis', '/sync'].map(async (path) =>
        (await fetch(gateway.nodeApi + path)).text(),
      ),
    )),
  ];
  for (const text of seen)
    assert.doesNotMatch(text, /SECRET/, text.slice(Math.max(0, text.indexOf('SECRET') - 200)).slice(0, 300));
});
