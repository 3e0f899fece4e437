import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';

import { createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { startWorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

/** A gateway over TLS whose certificate file can be replaced. */
async function stage(t: TestContext, workers: number) {
  const { url } = await startUpstream(t);
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const issued = {
    one: authority.issue('one'),
    two: authority.issue('two'),
    ended: authority.issue('ended', { isExpired: true }),
  };
  const certFile = join(dir, 'server.pem');
  const keyFile = join(dir, 'server.key');
  const use = (name: keyof typeof issued): void => {
    copyFileSync(issued[name].certFile, certFile);
    copyFileSync(issued[name].keyFile, keyFile);
  };
  use('one');
  const gateway = await startWorkerGateway(t, {
    apis: { a: apiDefinition('a', url) },
    workers,
    set: [`listen.tls.certFile=${certFile}`, `listen.tls.keyFile=${keyFile}`],
  });
  const ca = readFileSync(authority.caFile, 'utf8');
  /** Common names that new handshakes see; several, so that every worker is asked. */
  const shown = async (): Promise<readonly string[]> => {
    const names = await Promise.all(Array.from({ length: 12 }, () => shownName(gateway.port, ca)));
    return [...new Set(names)];
  };
  return { gateway, certFile, use, ca, shown };
}

function shownName(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      resolve(String(socket.getPeerCertificate().subject['CN']));
      socket.end();
    });
    socket.on('error', reject);
  });
}

/** Requests over kept-alive and new connections until it is stopped; says what failed. */
function startTlsLoad(port: number, ca: string) {
  const kept = new Agent({ keepAlive: true, maxSockets: 4, ca });
  const failed: string[] = [];
  let answered = 0;
  let isStopping = false;
  const ask = (agent: Agent | false): Promise<void> =>
    new Promise((resolve) => {
      const call = request({ host: '127.0.0.1', port, path: '/a', agent, ca }, (answer) => {
        if (answer.statusCode !== 200) failed.push(String(answer.statusCode));
        answer.resume().on('end', () => ((answered += 1), resolve()));
      });
      call.on('error', (error) => (failed.push(error.message), resolve())).end();
    });
  const loops = [kept, kept, kept, kept, false, false].map(async (agent) => {
    while (!isStopping) await ask(agent as Agent | false);
  });
  return {
    answered: () => answered,
    async stop(): Promise<readonly string[]> {
      isStopping = true;
      await Promise.all(loops);
      kept.destroy();
      return failed;
    },
  };
}

for (const workers of [1, 2]) {
  test(`${workers} process(es): certificates are read again under load without a failed request; broken ones change nothing`, async (t) => {
    const { gateway, certFile, use, ca, shown } = await stage(t, workers);
    assert.deepEqual(await shown(), ['one']);
    const pids = workers === 1 ? [] : await gateway.serving();
    const load = startTlsLoad(gateway.port, ca);
    const more = async (): Promise<void> => {
      const before = load.answered();
      await eventually(() => load.answered() > before + 30, { timeoutMs: 20_000 });
    };
    await more();
    for (const name of ['two', 'one', 'two'] as const) {
      use(name);
      gateway.process.kill('SIGHUP');
      await eventually(async () => (await shown()).join() === name);
      await more();
    }
    // A certificate that does not belong to the key, then something that is none.
    copyFileSync(join(certFile, '..', 'one.pem'), certFile);
    for (const reason of ['does not belong to the certificate', 'is no certificate in PEM']) {
      gateway.process.kill('SIGHUP');
      await eventually(() => gateway.process.output().includes(reason));
      assert.deepEqual(await shown(), ['two']);
      assert.deepEqual((await gateway.health()).degraded, ['certificates']);
      writeFileSync(certFile, 'nothing');
    }
    const errors = gateway.process
      .output()
      .split('\n')
      .filter((line) => line.includes('"level":"error"'));
    assert.equal(errors.length, 2);
    for (const line of errors) assert.ok(line.includes(certFile), line);
    use('two');
    gateway.process.kill('SIGHUP');
    await eventually(async () => (await gateway.health()).degraded.length === 0);
    await more();
    assert.deepEqual(await load.stop(), []);
    // SIGHUP reads certificates and nothing else.
    if (workers > 1) assert.deepEqual(await gateway.serving(), pids);

    if (workers > 1)
      await t.test('a worker that starts after a reload shows the new certificate', async () => {
        await gateway.replace();
        assert.deepEqual(await shown(), ['two']);
      });
    else
      await t.test(
        'a certificate that has ended is taken, and the log says that clients refuse it',
        async () => {
          const said = gateway.process.output().length;
          const isTold = (): boolean =>
            gateway.process.output().includes(`"certFile":"${certFile}","endedAt":"20`);
          assert.ok(!isTold());
          use('ended');
          gateway.process.kill('SIGHUP');
          await eventually(isTold);
          assert.match(gateway.process.output().slice(said), /certificates were read again and are in use/);
        },
      );
  });
}

test('a gateway with a broken certificate does not start, and names the file', async (t) => {
  const dir = tempDir(t);
  const certFile = join(dir, 'server.pem');
  writeFileSync(certFile, 'nothing');
  await assert.rejects(
    startWorkerGateway(t, {
      apis: {},
      set: [`listen.tls.certFile=${certFile}`, `listen.tls.keyFile=${certFile}`],
    }),
    (error: Error) => error.message.includes(certFile) && error.message.includes('config.invalid'),
  );
});

test('the settings give a certificate per name, and ask clients for theirs; those of subscriptions are trusted in every worker', async (t) => {
  const { url } = await startUpstream(t);
  const authority = createAuthority(tempDir(t));
  const [plain, shop, client] = [
    authority.issue('plain'),
    authority.issue('shop', { names: ['DNS:shop.acme.com'] }),
    authority.issue('client'),
  ];
  const gateway = await startWorkerGateway(t, {
    apis: { a: apiDefinition('a', url) },
    set: [
      `listen.tls.certFile=${plain.certFile}`,
      `listen.tls.keyFile=${plain.keyFile}`,
      `listen.tls.certificates=${JSON.stringify([shop])}`,
      `listen.tls.caFile=${authority.caFile}`,
      'listen.tls.clientAuth=required',
      'listen.tls.minVersion=TLSv1.3',
    ],
  });
  const ca = readFileSync(authority.caFile, 'utf8');
  const own = { cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) };
  const status = (options: object): Promise<string> =>
    new Promise((resolve) => {
      const asked = { host: '127.0.0.1', port: gateway.port, path: '/a', ca, agent: false, ...options };
      request(asked, (answer) => {
        const name = String((answer.socket as TLSSocket).getPeerCertificate().subject['CN']);
        answer.resume().once('end', () => resolve(`${answer.statusCode} ${name}`));
      })
        .on('error', () => resolve('refused'))
        .end();
    });
  assert.equal(await status({ ...own }), '200 plain');
  assert.equal(await status({ ...own, servername: 'shop.acme.com' }), '200 shop');
  assert.equal(await status({}), 'refused');
  assert.equal(await status({ ...own, maxVersion: 'TLSv1.2' }), 'refused');

  const foreign = issuePair(createAuthority(tempDir(t)), 'foreign');
  /** Asked so often that every worker is. */
  const outcomes = async (): Promise<string> =>
    [...new Set(await Promise.all(Array.from({ length: 12 }, () => status({ ...foreign }))))].join();
  assert.equal(await outcomes(), 'refused');
  const subscription = { id: 's', api: 'a', plan: 'open', application: 'foreign' };
  gateway.write('isthmus', { subscriptions: [{ ...subscription, clientCertificate: foreign.cert }] });
  await eventually(async () => (await outcomes()) === '200 plain');
  gateway.write('isthmus', { subscriptions: [] });
  await eventually(async () => (await outcomes()) === 'refused');
});
