import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRecords } from '../kit/gateway/reporter.ts';
import { eventually } from '../kit/eventually.ts';
import { apiDefinition } from '../kit/gateway/gateway.ts';
import { startWorkerGateway, type WorkerGateway } from '../kit/gateway/worker-gateway.ts';
import { descendantsOf } from '../kit/processes/processes.ts';
import { Random } from '../kit/random.ts';
import { type RunningLoad, startLoad } from '../kit/servers/load.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { tempDir } from '../kit/temp-dir.ts';

/*
 * Two workers under 20 connections, killed with -9 in any order, again and again on one data folder. What counts is what can be read
 * from the spool folder at the end: records, and gap records.
 */

const rounds = Number(process.env['ISTHMUS_TEST_KILL_ROUNDS'] ?? 10);
const victims = ['a worker, then all', 'the primary', 'all'] as const;

for (const [how, hold] of [
  ['as it is delivered', []],
  // So that the spool is degraded again and again, and they are killed with answers that have no record yet.
  ['whose answers wait 1 ms for their records', ['report.spoolHoldMsMax=1']],
] as const)
  test(`each request that a gateway ${how} has answered is on disk or told as lost, whoever of it is killed (${rounds} rounds)`, async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    const random = new Random(seed, 0);
    const { url } = await startUpstream(t);
    const dataDir = join(tempDir(t), 'data');
    const answered: string[] = [];
    let inFlight = 0;
    let degraded = 0;
    const start = (): Promise<WorkerGateway> =>
      startWorkerGateway(t, { apis: { a: apiDefinition('a', url) }, dataDir, set: hold });
    for (let round = 0; round < rounds; round++) {
      const gateway = await start();
      const load = startLoad({ urls: [`${gateway.url}/a`], concurrency: 20 });
      t.after(() => load.stop());
      await answering(load, 100 + random.below(500));
      if (hold.length > 0) await eventually(() => isDegraded(gateway), { timeoutMs: 60_000, everyMs: 1 });
      const { pid } = gateway.process;
      const victim = victims[random.below(victims.length)];
      const [first = pid] = descendantsOf(pid);
      if (victim === 'a worker, then all') {
        process.kill(first, 'SIGKILL');
        await answering(load, 200);
      }
      const workers = descendantsOf(pid);
      for (const each of victim === 'the primary' ? [pid] : [...workers, pid]) process.kill(each, 'SIGKILL');
      const result = await load.stop();
      await gateway.process.ended;
      // Workers without a primary answer what runs, and end.
      await eventually(() => workers.every((worker) => !isAlive(worker)), { timeoutMs: 20_000 });
      answered.push(...result.answered.keys());
      // Whoever was refused a connection had no request in flight.
      inFlight += result.failed.filter((why) => !why.includes('ECONNREFUSED')).length;
      degraded += gateway.process.output().match(/the spool is degraded/g)?.length ?? 0;
    }
    await start();
    const judge = async () => {
      const records = await readRecords(join(dataDir, 'spool'));
      const ids = records.filter(({ type }) => type !== 'gap').map((record) => record['request_id']);
      const present = new Set(ids);
      const lost = answered.filter((id) => !present.has(id)).length;
      const told = records.reduce((sum, { dropped }) => sum + Number(dropped ?? 0), 0);
      return { lost, told, twice: ids.length - present.size };
    };
    await eventually(async () => {
      const { lost, told } = await judge();
      return told >= lost || Promise.reject(new Error(`${lost} lost, ${told} told; SEED=${seed}`));
    });
    const { lost, told, twice } = await judge();
    t.diagnostic(
      `SEED=${seed}: ${answered.length} answered, ${lost} without a record, ${told} told, degraded ${degraded} times`,
    );
    assert.equal(twice, 0);
    assert.ok(
      told <= lost + inFlight,
      `${told} told; ${lost} were lost, and ${inFlight} in flight at a kill`,
    );
  });

/** Whether the last that was said of a spool is that it is degraded. */
function isDegraded({ process: { output } }: WorkerGateway): boolean {
  const said = output();
  return said.lastIndexOf('the spool is degraded') > said.lastIndexOf('the spool takes records again');
}

async function answering(load: RunningLoad, more: number): Promise<void> {
  const before = load.answeredSoFar();
  await eventually(() => load.answeredSoFar() >= before + more, { timeoutMs: 60_000, everyMs: 5 });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
