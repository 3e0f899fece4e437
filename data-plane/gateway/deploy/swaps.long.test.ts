import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { swapDefinition } from '../../../test/kit/gateway/swap.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** Deployments and certificates are replaced again and again while requests run: none of them notices, and nothing piles up. */

const swaps = 1_000;
const swapsPerReload = 50;
const lanes = 8;
const requestsPerSwap = 20;
const heapGrowthMax = 0.05;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test(`${swaps} swaps and ${swaps / swapsPerReload} reloads of certificates under load: 0 failed, memory and handles flat`, async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const pairs = [authority.issue('one'), authority.issue('two')] as const;
  const [certFile, keyFile] = [join(dir, 'served.pem'), join(dir, 'served.key')];
  const serve = (turn: number): void => {
    const pair = turn % 2 === 0 ? pairs[0] : pairs[1];
    copyFileSync(pair.certFile, certFile);
    copyFileSync(pair.keyFile, keyFile);
  };
  serve(0);
  const targets = [(await startUpstream(t)).url, (await startUpstream(t)).url];
  const definition = (turn: number): Record<string, unknown> =>
    // Most revisions talk to the same upstream and keep its pool; some go elsewhere and leave one behind.
    apiDefinition('steady', targets[Math.trunc(turn / 10) % 2] ?? '', {
      flows: [
        flow('/', {
          response: [
            [
              'transform-headers',
              { scope: 'RESPONSE', addHeaders: [{ name: 'X-Turn', value: String(turn) }] },
            ],
          ],
        }),
      ],
    });
  const gateway = await startLocalGateway(t, {
    apis: { steady: definition(0) },
    // A machine that others use too is late now and then: that it sends callers away is no subject here.
    config: { listen: { tls: { certFile, keyFile }, eventLoopLagMsMax: 0 }, closeMsMax: 2_000 },
  });
  const load = startLoad(t, gateway.port);
  const samples: { heapBytes: number; sockets: number }[] = [];
  for (let turn = 1; turn <= swaps; turn += 1) {
    swapDefinition(gateway, definition(turn), turn);
    if (turn % swapsPerReload === 0) {
      serve(turn / swapsPerReload);
      await gateway.reload();
    }
    const asked = load.answered();
    await eventually(() => load.answered() >= asked + requestsPerSwap, { timeoutMs: 30_000, everyMs: 1 });
    if (turn % 250 === 0) samples.push(await sampleAtRest(load));
  }
  const [, early = assert.fail()] = samples;
  // Pools that the last swaps left behind close within their time: they are no growth.
  await eventually(
    async () => {
      const late = await sampleAtRest(load);
      samples[samples.length - 1] = late;
      return late.heapBytes <= early.heapBytes * (1 + heapGrowthMax) && late.sockets <= early.sockets + 2;
    },
    { timeoutMs: 15_000, everyMs: 500 },
  );
  const { failed, names, turns } = await load.stop();
  t.diagnostic(`${load.answered()} answered, of ${turns.size} revisions, ${names.size} certificates`);
  for (const { heapBytes, sockets } of samples)
    t.diagnostic(`heap ${(heapBytes / 1_048_576).toFixed(2)} MiB, ${sockets} sockets`);
  assert.deepEqual(failed, []);
  assert.ok(turns.size > swaps * 0.9, 'the revisions were served');
  assert.deepEqual([...names].toSorted(), ['one', 'two']);
});

/** Stops the load for a moment, so that what is left is the gateway's. */
async function sampleAtRest(load: Load): Promise<{ heapBytes: number; sockets: number }> {
  await load.pause();
  collect();
  collect();
  const sockets = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const sample = { heapBytes: process.memoryUsage().heapUsed, sockets };
  load.resume();
  return sample;
}

type Load = ReturnType<typeof startLoad>;

/** Lanes that ask one request after the other: most on kept connections, every eighth on a new one, as a new client would. */
// oxlint-disable-next-line max-lines-per-function -- one load with its counters
function startLoad(t: Pick<TestContext, 'after'>, port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  t.after(() => agent.destroy());
  const failed: string[] = [];
  const names = new Set<string>();
  const turns = new Set<string>();
  let answered = 0;
  let isStopping = false;
  let running = 0;
  let resumed = Promise.resolve();
  let resume = (): void => undefined;
  const ask = (isNew: boolean): Promise<void> =>
    new Promise((resolve) => {
      const fail = (error: Error): void => {
        failed.push(error.message);
        resolve();
      };
      const call = request(
        { host: '127.0.0.1', port, path: '/steady', rejectUnauthorized: false, agent: isNew ? false : agent },
        (answer) => {
          if (isNew) names.add(String((answer.socket as TLSSocket).getPeerCertificate().subject.CN));
          turns.add(String(answer.headers['x-turn']));
          answer.on('error', fail).on('end', () => {
            if (answer.statusCode !== 200) failed.push(`status ${answer.statusCode}`);
            answered += 1;
            resolve();
          });
          answer.resume();
        },
      );
      call.on('error', fail).end();
    });
  const lane = async (): Promise<void> => {
    while (!isStopping) {
      await resumed;
      running += 1;
      await ask(answered % 8 === 0);
      running -= 1;
    }
  };
  const lanesDone = Promise.all(Array.from({ length: lanes }, lane));
  return {
    answered: () => answered,
    async pause() {
      resumed = new Promise((resolve) => (resume = resolve));
      await eventually(() => running === 0);
    },
    resume: () => resume(),
    async stop() {
      isStopping = true;
      resume();
      await lanesDone;
      return { failed, names, turns };
    },
  };
}
