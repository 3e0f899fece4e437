import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootOnce } from '../test/kit/processes/alone.ts';
import { runIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

interface ListedFleet {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly tenant?: string;
}

test('isthmus fleet list shows what isthmus fleet create made, as a table and as JSON', async (t) => {
  const dir = tempDir(t);
  await bootOnce(t, dir);
  const fleet = (...args: readonly string[]): Promise<string> =>
    runIsthmus(t, ['fleet', ...args, '--data-dir', dir]);
  const make = ['--tags', 'internal,!dmz', '--tenant', 'north'];
  const made = JSON.parse(await fleet('create', 'plant', ...make, '--json')) as ListedFleet;

  const listed = JSON.parse(await fleet('list', '--json')) as readonly ListedFleet[];
  assert.deepEqual(
    listed.find(({ name }) => name === 'plant'),
    made,
  );

  const [head = '', ...rows] = (await fleet('list')).trimEnd().split('\n');
  assert.match(head, /^name +id +environments +tags +tenant$/);
  assert.equal(rows.length, listed.length);
  const row = rows.find((each) => each.startsWith('plant ')) ?? assert.fail('no row of the fleet');
  assert.match(row, new RegExp(`^plant +${made.id} +\\S+ +!dmz,internal +north$`));
  // Cells stand under their heads.
  assert.equal(row.indexOf(made.id), head.indexOf('id'));

  await assert.rejects(fleet('list', '--organization', 'nobody'), /There is no organization "nobody"/);
  await assert.rejects(
    runIsthmus(t, ['fleet', 'list', '--data-dir', tempDir(t)]),
    /storage\.missing.*--data-dir <folder>, or with --config/s,
    'nobody is told to make a new database',
  );
});
