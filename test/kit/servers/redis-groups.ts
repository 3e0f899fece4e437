import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { eventually } from '../eventually.ts';
import { freePort } from '../processes/processes.ts';
import { tempDir } from '../temp-dir.ts';
import { endProcess, say, startRedis, type TestRedis, textsOf } from './redis.ts';

const password = 'of-redis';
const slots = 16_384;

/** A master, its replica, and a sentinel that puts one in the other's place. */
export interface SentinelGroup {
  readonly master: TestRedis;
  readonly replica: TestRedis;
  /** host:port of the sentinel. */
  readonly sentinel: string;
}

/** Starts them; a master that is silent for half a second is replaced. */
export async function startSentinelGroup(t: Pick<TestContext, 'after'>): Promise<SentinelGroup> {
  const set = ['--masterauth', password, '--repl-diskless-sync-delay', '0'];
  const master = await startRedis(t, password, { set });
  const replica = await startRedis(t, password, {
    set: [...set, '--replicaof', '127.0.0.1', String(master.port)],
  });
  await eventually(async () => (await replica.say('INFO replication')).includes('master_link_status:up'), {
    timeoutMs: 20_000,
  });
  const port = await freePort();
  const file = join(tempDir(t), 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
    `sentinel auth-pass mymaster ${password}`,
    'sentinel down-after-milliseconds mymaster 500',
    'sentinel failover-timeout mymaster 3000',
  ];
  writeFileSync(file, lines.join('\n'));
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  t.after(() => endProcess(child));
  const knows = async (): Promise<boolean> =>
    (await say(port, '', 'SENTINEL REPLICAS mymaster')).includes(`127.0.0.1:${replica.port}`);
  await eventually(knows, { timeoutMs: 20_000 });
  // One that was late itself decides nothing for 30 s, and on a busy machine again and again.
  await say(port, '', 'SENTINEL DEBUG tilt-period 500');
  return { master, replica, sentinel: `127.0.0.1:${port}` };
}

/** Two masters that share the slots of a cluster. */
export interface TestCluster {
  readonly nodes: readonly [TestRedis, TestRedis];
  /** host:port of each. */
  readonly addresses: readonly string[];
  /** Moves a slot from the one that has it to the other, in steps: `during` runs while some keys are here and some there. */
  move(slot: number, during: () => Promise<void>): Promise<void>;
  slotOf(key: string): Promise<number>;
}

/** Starts them. */
export async function startCluster(t: Pick<TestContext, 'after'>): Promise<TestCluster> {
  const start = async (): Promise<TestRedis> =>
    startRedis(t, password, {
      set: [
        '--cluster-enabled',
        'yes',
        '--masterauth',
        password,
        '--cluster-port',
        String(await freePort()),
        '--cluster-require-full-coverage',
        'no',
      ],
    });
  const nodes = [await start(), await start()] as const;
  const [one, two] = nodes;
  await one.say(`CLUSTER ADDSLOTSRANGE 0 ${slots / 2 - 1}`);
  await two.say(`CLUSTER ADDSLOTSRANGE ${slots / 2} ${slots - 1}`);
  const [, busPort] = /:\d+@(\d+)/.exec(await two.say('CLUSTER NODES')) ?? [];
  await one.say(`CLUSTER MEET 127.0.0.1 ${two.port} ${busPort}`);
  for (const node of nodes)
    await eventually(
      async () =>
        (await node.say('CLUSTER INFO')).includes('cluster_state:ok') &&
        (await node.say('CLUSTER INFO')).includes(`cluster_slots_assigned:${slots}`),
      { timeoutMs: 20_000 },
    );
  const ids = await Promise.all(nodes.map(async (node) => textsOf(await node.say('CLUSTER MYID'))[0] ?? ''));
  return {
    nodes,
    addresses: nodes.map(({ port }) => `127.0.0.1:${port}`),
    slotOf: async (key) => Number(/:(\d+)\r\n\+OK\r\n$/.exec(await one.say(`CLUSTER KEYSLOT ${key}`))?.[1]),
    async move(slot, during) {
      const [from, to] = slot < slots / 2 ? [0, 1] : [1, 0];
      const [source, target] = [nodes[from], nodes[to]];
      if (source === undefined || target === undefined) throw new RangeError('there are two');
      await target.say(`CLUSTER SETSLOT ${slot} IMPORTING ${ids[from]}`);
      await source.say(`CLUSTER SETSLOT ${slot} MIGRATING ${ids[to]}`);
      const keys = textsOf(await source.say(`CLUSTER GETKEYSINSLOT ${slot} 100`));
      const moveKey = (key: string): Promise<string> =>
        source.say(`MIGRATE 127.0.0.1 ${target.port} ${key} 0 1000 AUTH ${password}`);
      const half = Math.ceil(keys.length / 2);
      for (const key of keys.slice(0, half)) await moveKey(key);
      await during();
      for (const key of textsOf(await source.say(`CLUSTER GETKEYSINSLOT ${slot} 100`))) await moveKey(key);
      for (const node of [target, source]) await node.say(`CLUSTER SETSLOT ${slot} NODE ${ids[to]}`);
    },
  };
}
