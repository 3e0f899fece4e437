import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../test/kit/eventually.ts';
import { startNode } from '../../test/kit/processes/processes.ts';
import { readRecords, startTestReporter } from '../../test/kit/gateway/reporter.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { listSpools } from '../../proto/spool/folder.ts';

/* Somebody deletes the spool folder, and kills the gateway before it can say what that cost. */

const small = { segmentBytes: 4_096, upkeepEveryMs: 20 };
const main = join(import.meta.dirname, '../../test/kit/engine/answering-main.ts');

/** Ids that are there, and how many records gap records tell as lost. */
async function found(dir: string): Promise<{ readonly ids: ReadonlySet<unknown>; readonly told: number }> {
  const records = await readRecords(dir);
  const gaps = records.filter(({ type }) => type === 'gap');
  return {
    ids: new Set(records.filter(({ type }) => type !== 'gap').map((record) => record['request_id'])),
    told: gaps.reduce((sum, { dropped }) => sum + Number(dropped), 0),
  };
}

for (const [when, more, upkeepEveryMs] of [
  ['before the gateway has looked again', 0, 60_000],
  ['at once', 0, 20],
  ['some answers later', 40, 20],
] as const) {
  test(`the spool folder is deleted and everybody killed ${when}: each answered request has its record or is told as lost, once`, async (t) => {
    const dir = join(tempDir(t), 'data', 'spool');
    const settings = JSON.stringify({ ...small, upkeepEveryMs });
    const child = startNode(t, [main, dir, settings]);
    const port = await eventually(() => /port (\d+)/.exec(child.output())?.[1]);
    const answered: string[] = [];
    const answer = async (): Promise<void> => {
      const id = String(answered.length);
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/${id}`)).text(), id);
      answered.push(id);
    };
    for (let n = 0; n < 60; n++) await answer();
    rmSync(dir, { recursive: true });
    // Until the segment that was being written is saved nobody can say that there was anything.
    await eventually(async () => (await answer(), (await listSpools(dir)).length > 0), { everyMs: 1 });
    await eventually(async () => (await readRecords(dir)).length > 0, { everyMs: 1 });
    for (let n = 0; n < more; n++) await answer();
    child.kill('SIGKILL');
    await child.ended;
    const root = dirname(dir);
    for (let start = 0; start < 3; start++) {
      const ledger = `${dir}-ledger.json`;
      const { reporter } = await startTestReporter(t, small, { dir, checkpointDir: join(root, 'c'), ledger });
      const lost = async (): Promise<number> => {
        const { ids } = await found(dir);
        return answered.filter((id) => !ids.has(id)).length;
      };
      assert.ok((await lost()) > 20, 'closed segments are gone');
      await eventually(() => reporter.health().bytes > 0);
      await eventually(async () => (await found(dir)).told === (await lost()));
      await reporter.close();
    }
  });
}
