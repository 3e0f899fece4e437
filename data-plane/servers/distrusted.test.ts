import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';

import { eventually } from '../../test/kit/eventually.ts';
import { startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { createDistrustTeller } from './distrusted.ts';

test('a client whose certificate is refused in the handshake is logged with the reason and counted, a trusted one is not', async (t) => {
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('localhost');
  const stranger = issuePair(createAuthority(tempDir(t)), 'stranger');
  const late = issuePair(authority, 'late', { isExpired: true });
  const known = issuePair(authority, 'known');
  const tls = { certFile, keyFile, caFile: authority.caFile, clientAuth: 'required' };
  const gateway = await startLocalGateway(t, { apis: {}, config: { listen: { tls } } });
  const visit = async (options: ConnectionOptions): Promise<string> => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    t.after(() => socket.destroy());
    let text = '';
    socket.on('data', (piece: Buffer) => (text += piece.toString())).on('error', () => undefined);
    socket.end('GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    // A reset is an end too.
    await new Promise((resolve) => socket.once('close', resolve));
    return text;
  };
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const pair of [stranger, late, {}]) assert.equal(await visit({ ...pair, maxVersion }), '');
  await visit(known);

  const metric = /^isthmus_gateway_malformed_total\{reason="client-certificate"\} 6$/m;
  await eventually(async () => metric.test(await (await fetch(`${gateway.nodeApi}/metrics`)).text()));
  const lines = gateway.logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => String(msg).includes('refused in the TLS handshake'));
  const fingerprintOf = ({ cert }: { readonly cert: string }): string =>
    new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
  // The second visit of each is within the minute.
  assert.deepEqual(
    lines.map(({ level, reason, fingerprintSha256, subject, peer }) => [
      level,
      reason,
      fingerprintSha256,
      subject,
      peer,
    ]),
    [
      ['warn', 'unknown', fingerprintOf(stranger), 'CN=stranger', '127.0.0.1'],
      ['warn', 'expired', fingerprintOf(late), 'CN=late', '127.0.0.1'],
      ['warn', 'missing', undefined, undefined, '127.0.0.1'],
    ],
  );
});

test('however many certificates strangers show, 60 lines a minute are written, and the next says how many were left out', () => {
  let nowMs = 0;
  const lines: Record<string, unknown>[] = [];
  const tell = createDistrustTeller({
    clock: { monotonicMs: () => nowMs },
    log: { warn: (fields: object) => void lines.push({ ...fields }) },
  });
  const visit = (number: number): void =>
    tell('http', {
      reason: 'unknown',
      remoteAddress: '192.0.2.7',
      certificate: {
        fingerprintSha256: String(number),
        subject: `CN=${'x'.repeat(10_000)}`,
        pem: '',
        validFromMs: 0,
        validToMs: 1,
        isVerified: false,
      },
    });
  for (let number = 0; number < 100; number += 1) visit(number);
  assert.equal(lines.length, 60);
  assert.equal(String(lines[0]?.['subject']).length, 256);
  nowMs = 59_999;
  visit(100);
  assert.equal(lines.length, 60);
  nowMs = 60_000;
  visit(0);
  assert.deepEqual([lines.length, lines[60]?.['leftOut']], [61, 41]);
});
