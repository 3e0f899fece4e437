import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';

import { startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createAuthority, issuePair, tlsSettings } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

test('a request in the clear is answered 400 with words that say so, other bytes with nothing', async (t) => {
  const authority = createAuthority(tempDir(t));
  const told: string[] = [];
  const { port, running: server } = await startEngineProxy(t, {
    upstream: { port: 1 },
    tls: tlsSettings([issuePair(authority, 'one')]),
    onRefusal: ({ reason, status }) => void told.push(`${reason} ${status}`),
  });
  const sent = async (bytes: string): Promise<string> => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(bytes));
    t.after(() => socket.destroy());
    let text = '';
    socket.on('data', (part) => void (text += part.toString('latin1')));
    socket.on('error', () => undefined);
    // A reset is an end too.
    await new Promise((resolve) => socket.once('close', resolve));
    return text;
  };
  const head = (method: string, more = ''): string => `${method} / HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
  const long = 3 * 1024 * 1024;
  const requests = [
    ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => head(method)),
    head('POST', `Content-Length: ${long}\r\n`) + 'x'.repeat(long),
    'GET /',
  ];
  for (const request of requests)
    assert.match(
      await sent(request),
      /^HTTP\/1\.1 400 Bad Request\r\nDate: .* GMT\r\nContent-Type: text\/plain\r\nContent-Length: 45\r\nConnection: close\r\n\r\nThe plain HTTP request was sent to HTTPS port$/,
      request.slice(0, 20),
    );
  assert.deepEqual(told, Array(requests.length).fill('plain-http 400'));
  told.length = 0;
  const others = [
    '\0\x01\x02\x03\x04\x05\x06\x07',
    'SSH-2.0-OpenSSH_9\r\n',
    'EHLO mail.example\r\n',
    'get / HTTP/1.1\r\n\r\n',
  ];
  for (const bytes of others) assert.doesNotMatch(await sent(bytes), /HTTP|400/, bytes);
  assert.deepEqual(told, Array(others.length).fill('tls-handshake 0'));
  await eventually(() => server.connections === 0);
});
