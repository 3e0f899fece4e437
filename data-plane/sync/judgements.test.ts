import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { openSqlite } from '../../proto/process/sqlite.ts';
import { openDeployments } from '../../test/kit/gateway/deployments.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { writtenStore } from '../../test/kit/gateway/written-store.ts';
import type { HearRefusedLate } from '../gateway/deploy/change.ts';
import type { Policy } from '../policies/policy.ts';

const apis = 5;

/** A store that was never started from, and starts from it, each of which counts what it compiles. */
async function openRestarts(t: TestContext) {
  const { path, start } = await writtenStore(t, {
    apis,
    keys: 1,
    definitionOf: (index) =>
      apiDefinition(`api-${index}`, 'http://127.0.0.1:1', {
        flows: [flow('/', { request: [['mock', {}]] })],
      }),
  });
  /** Starts, asks for the API at a path, and ends; `breaks` says that its steps no longer build. */
  const restart = async ({ ground = 'v1', breaks = false } = {}) => {
    let built = 0;
    const build = (): Policy => {
      built += 1;
      if (breaks) throw new Error('a bug');
      return {};
    };
    const deployments = openDeployments(t, { build });
    let hear: HearRefusedLate | undefined;
    deployments.onRefusedLate((environment, nack) => hear?.(environment, nack));
    const gateway = start({
      apply: deployments.apply,
      judging: { ground, judged: deployments.judged, onRefusedLate: (listener) => (hear = listener) },
    });
    const atStart = built;
    const found = deployments.matchOn('http')('h', '/api-3/x')?.target;
    const nacks = gateway.sync.state().environments[0]?.nacks ?? [];
    const shown = deployments.state()[0]?.apis.map(({ state }) => state);
    await gateway.close();
    return { atStart, inAll: built, isServed: found?.compiled !== undefined, nacks, shown };
  };
  const change = (sql: string): void => {
    const database = openSqlite(path, { durable: 'normal' });
    database.exec(sql);
    database.close();
  };
  return { restart, change };
}

const started = Array.from({ length: apis }, () => 'started');
const compiledAll = { atStart: apis, inAll: apis, isServed: true, nacks: [], shown: started };
const compiledOne = { atStart: 0, inAll: 1, isServed: true, nacks: [], shown: started };

test('a restart compiles none of what the start before has judged, and a request compiles its API', async (t) => {
  const { restart } = await openRestarts(t);
  assert.deepEqual(await restart(), compiledAll);
  assert.deepEqual(await restart(), compiledOne);
  assert.deepEqual(await restart(), compiledOne, 'what waited is kept as it was');
});

test('under another program or other settings everything is compiled, once', async (t) => {
  const { restart } = await openRestarts(t);
  await restart();
  assert.deepEqual(await restart({ ground: 'v2' }), compiledAll);
  assert.deepEqual(await restart({ ground: 'v2' }), compiledOne);
});

test('what somebody wrote into the file is not believed: those APIs are compiled at the start, the others are not', async (t) => {
  const { restart, change } = await openRestarts(t);
  await restart();
  change(`UPDATE judged SET text = replace(text, '/api-3', '/api-9') WHERE id = 'api-3'`);
  assert.deepEqual(await restart(), { ...compiledOne, atStart: 1 });
  change(`UPDATE judged SET text = (SELECT text FROM judged WHERE id = 'api-1') WHERE id = 'api-2';
          UPDATE judged SET proof = (SELECT proof FROM judged WHERE id = 'api-1') WHERE id = 'api-2'`);
  assert.equal((await restart()).atStart, 1);
  change(`UPDATE judged SET proof = x'' WHERE id = 'api-1'`);
  assert.equal((await restart()).atStart, 1);
  change('DELETE FROM judged');
  assert.deepEqual(await restart(), compiledAll);
});

test('one that does not compile for its first request is told to the bridge, and compiled at the next start', async (t) => {
  const { restart } = await openRestarts(t);
  await restart();
  const broken = await restart({ breaks: true });
  assert.deepEqual([broken.atStart, broken.inAll, broken.isServed], [0, 1, false]);
  assert.deepEqual(
    broken.nacks.map(({ kind, id, code }) => [kind, id, code]),
    [['api', 'api-3', 'platform.bug']],
  );
  assert.deepEqual(broken.shown?.toSorted(), ['failed', ...started.slice(1)]);
  assert.deepEqual(await restart(), { ...compiledOne, atStart: 1 });
});
