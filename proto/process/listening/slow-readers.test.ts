import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { systemClock } from '../clock.ts';
import { createLifecycle } from '../lifecycle.ts';
import { createLog } from '../log.ts';
import { openCertificates } from './certificates.ts';
import { startHttpListener } from './http-listener.ts';
import { ListenTls } from './tls-settings.ts';

const answerBytes = 24_000_000;

/** A listener that answers everything with a long body; the port. */
async function start(
  t: TestContext,
  limits: { readonly answerIdleMsMax: number; readonly answerBytesPerSecondMin: number },
  isTls: boolean,
): Promise<number> {
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const body = Buffer.alloc(answerBytes, 'x');
  const settings = isTls ? ListenTls.parse(createAuthority(tempDir(t)).issue('server')) : undefined;
  return startHttpListener({
    name: 'listener',
    answer: (_incoming, outgoing) => void outgoing.writeHead(200, { connection: 'close' }).end(body),
    address: { host: '127.0.0.1', port: 0 },
    setting: 'listen',
    certificates: await openCertificates(settings, { log, clock: systemClock }),
    limits,
    log,
    clock: systemClock,
    lifecycle,
  });
}

/** Asks, takes half a megabyte, then nothing for a while, and so on; how much it had when the connection ended. */
function takeSlowly(t: TestContext, port: number, isTls: boolean): Promise<number> {
  const socket: Socket = isTls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  let hadBytes = 0;
  socket.on('data', (part: Buffer) => {
    hadBytes += part.length;
    if (hadBytes % 500_000 >= part.length) return;
    socket.pause();
    setTimeout(() => socket.resume(), 300);
  });
  return new Promise((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve(hadBytes));
  });
}

// What they cost is waiting.
describe('who has asked', { concurrency: 4 }, () => {
  for (const isTls of [false, true]) {
    const over = isTls ? 'over TLS' : 'in clear text';

    test(`and takes his answer again and again, but slower than answerBytesPerSecondMin, is cut off ${over}`, async (t) => {
      const limits = { answerIdleMsMax: 1_000, answerBytesPerSecondMin: 1_000_000_000 };
      const port = await start(t, limits, isTls);
      const hadBytes = await takeSlowly(t, port, isTls);
      assert.ok(hadBytes < answerBytes, String(hadBytes));
    });

    test(`and takes his answer slowly, but faster than that, has it whole ${over}`, async (t) => {
      const limits = { answerIdleMsMax: 6_000, answerBytesPerSecondMin: 10_000 };
      const startedMs = performance.now();
      const port = await start(t, limits, isTls);
      const hadBytes = await takeSlowly(t, port, isTls);
      assert.ok(hadBytes > answerBytes, String(hadBytes));
      assert.ok(performance.now() - startedMs > 2 * limits.answerIdleMsMax, 'it was slow');
    });
  }
});
