import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../../proto/faults/fault.ts';
import { newSpoolId } from '../../../proto/spool/folder.ts';
import { thisProcess } from '../../../proto/spool/owner.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { readRecords, stallingFiles, startTestReporter } from '../../../test/kit/gateway/reporter.ts';
import { dead, openUpkeep } from '../../../test/kit/gateway/upkeep.ts';
import { startNode } from '../../../test/kit/processes/processes.ts';
import { Random } from '../../../test/kit/random.ts';
import { skipWithout } from '../../../test/kit/require.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { tallyDirDefault } from '../settings.ts';
import { decodeTally, encodeTally, tallyFile, type TallyOwner, unwrittenAt } from './tally-content.ts';
import { isInMemory } from './tally-folder.ts';

/* The disk stalls, so that answers leave without their records, and the gateway is killed with what it has in memory. */

const skip = skipWithout('tmpfs', isInMemory(tallyDirDefault));
const main = join(import.meta.dirname, '../../../test/kit/engine/answering-main.ts');
const fast = { spoolHoldMsMax: 5, upkeepEveryMs: 20 };

/** A gateway in miniature whose disk can be frozen. */
async function start(t: TestContext, { dir, settings = {} }: { dir: string; settings?: object }) {
  // Beside the gateway's own folder, which stands only when the gateway has made it.
  const flag = join(dirname(dirname(dir)), 'frozen');
  const freeze = (): void => writeFileSync(flag, '');
  const thaw = (): void => rmSync(flag, { force: true });
  const child = startNode(t, [main, dir, JSON.stringify({ ...fast, ...settings }), stallingFiles(flag)]);
  const port = await eventually(() => /port (\d+)/.exec(child.output())?.[1]);
  const ask = async (id: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}/${id}`)).text();
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.ended;
    thaw();
  };
  return { child, ask, freeze, thaw, kill };
}

/** Of those answered, how many records there are, how many gap records tell, and of how many nothing is known. */
async function judge(dir: string, answered: readonly string[]) {
  const records = await readRecords(dir);
  const gaps = records.filter(({ type }) => type === 'gap');
  const present = new Set(records.map((record) => record['request_id']));
  const told = gaps.reduce((sum, { dropped }) => sum + Number(dropped), 0);
  return { lost: answered.filter((id) => !present.has(id)).length, told, gaps };
}

/** Files of tallies of the spools below a folder. */
const talliesOf = (dir: string): readonly string[] =>
  readdirSync(tallyDirDefault).filter(
    (name) =>
      name.endsWith('.tally') && decodeTally(readFileSync(join(tallyDirDefault, name)))?.owner.root === dir,
  );

for (const [when, before, during, settings] of [
  ['while its disk stands still', 20, 30, {}],
  ['before its spool could be made', 0, 30, {}],
  ['on a disk that forces nothing down', 20, 30, { durability: 'synced' }],
  ['after its memory was full', 20, 100, { memoryBytesMax: 300_000 }],
] as const)
  test(
    `what a gateway has answered without a record when it is killed ${when} is told by the next one, exactly and once`,
    { skip },
    async (t) => {
      const dir = join(tempDir(t), 'data', 'spool');
      const gateway = await start(t, { dir, settings });
      const answered: string[] = [];
      const ask = async (count: number): Promise<void> => {
        // Long, so that few fill the memory.
        for (let n = 0; n < count; n++)
          answered.push(await gateway.ask(String(answered.length).padEnd(4_000, 'x')));
      };
      await ask(before);
      gateway.freeze();
      await ask(during);
      await gateway.kill();
      const { lost } = await judge(dir, answered);
      assert.equal(/access records were dropped/.test(gateway.child.output()), 'memoryBytesMax' in settings);
      assert.ok(lost >= during - 1, `${lost} lost`);
      for (let life = 0; life < 3; life++) {
        const { reporter } = await startTestReporter(t, fast, {
          dir,
          checkpointDir: join(dirname(dir), 'c'),
          ledger: `${dir}-ledger.json`,
        });
        await eventually(async () => (await judge(dir, answered)).told > 0);
        await eventually(() => reporter.health().bytes > 0);
        await reporter.close();
        const { told, gaps } = await judge(dir, answered);
        assert.equal(told, lost);
        assert.deepEqual(new Set(gaps.map(({ reason }) => reason)), new Set(['unwritten']));
      }
    },
  );

test(
  'whoever is killed before it has told what an earlier one lost: it is told once',
  { skip },
  async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed, 0);
    const dir = join(tempDir(t), 'data', 'spool');
    const answered: string[] = [];
    for (let life = 0; life < 5; life++) {
      const gateway = await start(t, { dir });
      // Upkeep begins with the process: some are killed before, some after, some while it tells.
      for (let n = random.below(12); n > 0; n--) answered.push(await gateway.ask(String(answered.length)));
      gateway.freeze();
      for (let n = 5; n > 0; n--) answered.push(await gateway.ask(String(answered.length)));
      await gateway.kill();
    }
    await startTestReporter(t, fast, {
      dir,
      checkpointDir: join(dirname(dir), 'c'),
      ledger: `${dir}-ledger.json`,
    });
    await eventually(async () => {
      const { told, lost } = await judge(dir, answered);
      return told >= lost && lost > 0;
    });
    const { told, lost } = await judge(dir, answered);
    assert.equal(told, lost);
  },
);

test(
  'a spool that has caught up leaves no tally, and nothing is told when its gateway is killed then',
  { skip },
  async (t) => {
    const dir = join(tempDir(t), 'data', 'spool');
    const gateway = await start(t, { dir });
    const answered: string[] = [];
    const ask = async (): Promise<void> => void answered.push(await gateway.ask(String(answered.length)));
    await ask();
    gateway.freeze();
    for (let n = 0; n < 20; n++) await ask();
    assert.equal(talliesOf(dir).length, 1);
    gateway.thaw();
    await eventually(async () => (await ask(), talliesOf(dir).length === 0));
    await gateway.kill();
    await startTestReporter(t, fast, {
      dir,
      checkpointDir: join(dirname(dir), 'c'),
      ledger: `${dir}-ledger.json`,
    });
    await eventually(async () => (await judge(dir, answered)).lost === 0);
    assert.equal((await judge(dir, answered)).told, 0);
  },
);

const nothing = { written: 0, inFlight: 0, droppedInFlight: 0, waiting: 0, dropped: 0 };

test('what is lost is counted from where the spool ends, whatever of what was on its way came to be written', () => {
  const counted = { ...nothing, written: 100, inFlight: 10, waiting: 5, dropped: 3 };
  for (const [end, lost] of [
    [100, 18],
    [104, 14],
    [110, 8],
    // What was never there.
    [90, 18],
  ] as const)
    assert.equal(unwrittenAt(counted, end), lost, `${end}`);
  // A gap record is no record: before it is written it stands for those that it tells, and then for nothing.
  const withGap = { ...counted, droppedInFlight: 50 };
  assert.equal(unwrittenAt(withGap, 100), 18 - 1 + 50);
  assert.equal(unwrittenAt(withGap, 101), 17);
});

test('tallies of living processes, of other folders and other users, and what is none are left alone', async (t) => {
  const { tallyDir, upkeep, write, dir } = openUpkeep(t);
  const { spool, end } = write(3);
  const { organization, environment, ...gone } = dead;
  const owner: TallyOwner = { ...gone, root: dir, stream: 'records', organization, environment, spool };
  const path = join(tallyDir, tallyFile(spool));
  const unwritten = { ...nothing, waiting: 4 };
  const others: readonly (readonly [string, () => void])[] = [
    ['a living process', () => writeFileSync(path, encodeTally({ ...owner, ...thisProcess() }, unwritten))],
    ['another folder', () => writeFileSync(path, encodeTally({ ...owner, root: `${dir}2` }, unwritten))],
    ['another spool', () => writeFileSync(path, encodeTally({ ...owner, spool: newSpoolId() }, unwritten))],
    ['no numbers yet', () => writeFileSync(path, '')],
    ['a folder', () => mkdirSync(path)],
    [
      'damaged numbers',
      () => {
        const bytes = encodeTally(owner, unwritten);
        bytes.writeUInt8(7, 20);
        writeFileSync(path, bytes);
      },
    ],
    ...(process.getuid?.() === 0
      ? ([
          [
            'another user',
            () => {
              writeFileSync(path, encodeTally(owner, unwritten));
              chownSync(path, 1234, 1234);
            },
          ],
        ] as const)
      : []),
  ];
  for (const [what, put] of others) {
    put();
    const { lost, problems } = await upkeep.run();
    assert.deepEqual([lost, problems], [[], []], what);
    assert.equal(readdirSync(tallyDir).length, 1, what);
    rmSync(path, { recursive: true });
  }
  writeFileSync(path, encodeTally(owner, { ...unwritten, written: end }));
  const { lost } = await upkeep.run();
  assert.deepEqual(
    lost.map(({ reason, first, last }) => [reason, first, last]),
    [['unwritten', end, end + 3]],
  );
  assert.deepEqual(readdirSync(tallyDir), []);
});

test('a spool stays until its tally was read, though all that it holds has arrived', async (t) => {
  const { tallyDir, start, upkeep, write, ship, dir } = openUpkeep(t);
  const written = write(3);
  const { organization, environment, ...gone } = dead;
  const owner: TallyOwner = {
    ...gone,
    root: dir,
    stream: 'records',
    organization,
    environment,
    spool: written.spool,
  };
  const path = join(tallyDir, tallyFile(written.spool));
  // Its last batch came to be written, and nobody could say so any more.
  writeFileSync(path, encodeTally(owner, { ...nothing, written: written.end - 3, inFlight: 3, waiting: 2 }));
  await ship(written);
  const first = await upkeep.run();
  assert.deepEqual(
    first.lost.map(({ first: from, last }) => [from, last]),
    [[written.end, written.end + 1]],
  );
  assert.ok(existsSync(written.folder));
  // Killed now: the next one tells it, and the spool may go.
  const second = await start().run();
  assert.deepEqual(
    second.lost.map(({ first: from, last }) => [from, last]),
    [[written.end, written.end + 1]],
  );
  assert.ok(!existsSync(written.folder));
});

test('a process that was killed before it had said whose its spool is: its tally says so', async (t) => {
  const { tallyDir, upkeep, write, dir } = openUpkeep(t);
  const { spool, folder, path } = write(1);
  for (const file of [path, join(folder, 'spool.json')]) rmSync(file);
  const { organization, environment, ...gone } = dead;
  const owner: TallyOwner = { ...gone, root: dir, stream: 'records', organization, environment, spool };
  writeFileSync(join(tallyDir, tallyFile(spool)), encodeTally(owner, { ...nothing, waiting: 4 }));
  const { lost } = await upkeep.run();
  assert.deepEqual(
    lost.map((range) => [range.organization, range.first, range.last]),
    [[organization, 0, 3]],
  );
});

test(
  'a folder for tallies that is on a disk is refused by name: it could stall the gateway',
  { skip },
  async (t) => {
    await assert.rejects(startTestReporter(t, { tallyDir: import.meta.dirname }), (error: unknown) => {
      assert.ok(error instanceof Fault);
      assert.match(error.detail ?? '', /^report\.tallyDir: /);
      return error.code === 'config.invalid';
    });
  },
);
