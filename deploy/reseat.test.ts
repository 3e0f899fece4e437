import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hashTicket } from '../proto/trust/seats.ts';
import { createSeatLedger } from '../control-plane/publish/seats.ts';
import { openStorage } from '../control-plane/storage/storage.ts';
import { runIsthmus } from '../test/kit/processes/processes.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const log = { info: () => undefined, warn: () => undefined };

test('isthmus fleet reseat gives the seat to the instance that is named, never to who came last, and says so in the audit', async (t) => {
  const dataDir = tempDir(t);
  const storage = await openStorage({ dataDir, log });
  t.after(() => storage.close());
  const now = { created_at_ms: 1, updated_at_ms: 1 };
  const key = createHash('sha256').update('k').digest();
  await storage.db
    .insertInto('organization')
    .values({ id: 'org', name: 'o', description: '', hrid: 'o', ...now })
    .execute();
  await storage.db
    .insertInto('gateway')
    .values({
      id: 'g-1',
      organization: 'org',
      fleet: 'f-1',
      token: 't',
      signing_key: key,
      sealing_key: key,
      hostname: 'h',
      version: '1',
      is_revoked: 0,
      enrolled_at_ms: 1,
      revoked_at_ms: null,
    })
    .execute();
  const ledger = createSeatLedger(storage);
  let claims = 0;
  const claim = (instance: string, ticket: string | undefined, next: string) =>
    ledger.claimSeat(
      { gateway: 'g-1', role: 'gateway' },
      {
        instance,
        hostname: `host of ${instance}`,
        source: '10.0.0.1',
        ticket: ticket === undefined ? undefined : hashTicket(ticket),
        next: hashTicket(next),
        nonceMadeAtMs: (claims += 1),
        leaseMs: 1,
      },
    );
  await claim('copy', undefined, '1');
  await claim('copy', '1', '2');
  assert.equal((await claim('original', undefined, '3')).kind, 'stale');
  const run = async (...args: readonly string[]): Promise<string> =>
    runIsthmus(t, ['fleet', 'reseat', ...args, '--data-dir', dataDir]);
  await assert.rejects(run('nobody'), /There is no gateway "nobody"/);
  await assert.rejects(
    run('g-1'),
    /gateway: copy on host of copy \(10\.0\.0\.1\) sits, original on host of original \(10\.0\.0\.1\) was refused/,
  );
  // Whoever has a copy can have himself refused at any time: what the operator says is not meant for him.
  assert.equal((await claim('another copy', undefined, '5')).kind, 'stale');
  await assert.rejects(run('g-1', '--instance', 'original'), /original neither sits nor was refused last/);
  assert.equal((await claim('original', undefined, '3')).kind, 'stale');
  const said = JSON.parse(await run('g-1', '--instance', 'original', '--json')) as {
    seats: { holder: object; refused: object }[];
  };
  assert.deepEqual(said.seats[0]?.holder, {
    instance: 'original',
    hostname: 'host of original',
    source: '10.0.0.1',
  });
  assert.equal((await claim('original', undefined, '4')).kind, 'seated');
  await assert.rejects(run('g-1'), /nothing to settle/);
  const [audit] = await storage.db.selectFrom('audit').selectAll().execute();
  assert.deepEqual([audit?.event, audit?.user_id, audit?.organization], ['GATEWAY_RESEATED', 'cli', 'org']);
});
