import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startNode } from '../kit/processes/processes.ts';
import { readRecordPlaces, startTestReporter } from '../kit/gateway/reporter.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { Random } from '../kit/random.ts';
import { listSegments, listSpools, segmentFile, writeCheckpoint } from '../../proto/spool/folder.ts';

const small = { segmentBytes: 4_096, upkeepEveryMs: 25 };
const main = join(import.meta.dirname, '../kit/engine/answering-main.ts');
const lives = 10;

test('whatever is deleted and whoever is killed at any time: each answered request has its record or is told as lost, once', async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed, 0);
  const dir = join(tempDir(t), 'data', 'spool');
  const answered: string[] = [];
  for (let life = 0; life < lives; life++) {
    const child = startNode(t, [main, dir, JSON.stringify(small)]);
    const port = await eventually(() => /port (\d+)/.exec(child.output())?.[1]);
    const ask = async (): Promise<void> => {
      const id = String(answered.length);
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/${id}`)).text(), id);
      answered.push(id);
    };
    for (let step = random.below(4); step >= 0; step--) {
      for (let n = 10 + random.below(40); n > 0; n--) await ask();
      await deleteSomething(dir, random);
      // The segment that was being written is back before anybody is killed: until then nobody can say what there was.
      await eventually(async () => (await ask(), (await readRecordPlaces(dir)).length > 0), { everyMs: 1 });
    }
    child.kill('SIGKILL');
    await child.ended;
  }
  const gaps = new Map<string, { readonly spool: string; readonly first: number; readonly last: number }>();
  const checkpointDir = join(dirname(dir), 'checkpoints');
  mkdirSync(checkpointDir);
  const places = await readRecordPlaces(dir);
  const present = new Set(places.map(({ record }) => record['request_id']));
  const lost = answered.filter((id) => !present.has(id)).length;
  const told = async (): Promise<number> => {
    for (const { record } of await readRecordPlaces(dir)) {
      if (record['type'] !== 'gap') continue;
      const { spool, first, last } = record as unknown as { spool: string; first: number; last: number };
      gaps.set(`${spool} ${first} ${String(record['timestamp'])}`, { spool, first, last });
    }
    return [...gaps.values()].reduce((sum, { first, last }) => sum + last - first + 1, 0);
  };
  const { reporter } = await startTestReporter(t, small, {
    dir,
    checkpointDir,
    ledger: `${dir}-ledger.json`,
  });
  await told();
  await eventually(() => reporter.health().bytes > 0);
  // What nobody could see yet shows when the shipper passes it.
  for (const { spool } of places) {
    const last = Math.max(...places.filter((place) => place.spool === spool).map(({ offset }) => offset));
    writeCheckpoint(checkpointDir, spool, last + 1);
  }
  await eventually(async () => (await told()) >= lost, { timeoutMs: 20_000 });
  assert.equal(await told(), lost);
  for (const { spool, first, last } of gaps.values())
    assert.ok(
      !places.some((place) => place.spool === spool && place.offset >= first && place.offset <= last),
      `${spool} ${first}-${last} is there`,
    );
});

/** A closed segment of any spool, or now and then all of them; never one that holds a gap record, which would be told by nobody. */
async function deleteSomething(dir: string, random: Random): Promise<void> {
  const gaps = (await readRecordPlaces(dir)).filter(({ record }) => record['type'] === 'gap');
  if (gaps.length === 0 && random.below(4) === 0) return rmSync(dir, { recursive: true });
  const spools = await listSpools(dir);
  const chosen = spools[random.below(spools.length)];
  if (chosen === undefined) return;
  const firsts = await listSegments(chosen.dir);
  const at = random.below(Math.max(1, firsts.length - 1));
  const [first, next] = [firsts[at], firsts[at + 1]];
  if (first === undefined || next === undefined) return;
  const holdsGap = gaps.some(
    ({ spool, offset }) => spool === chosen.spool && offset >= first && offset < next,
  );
  if (!holdsGap) rmSync(join(chosen.dir, segmentFile(first)));
}
