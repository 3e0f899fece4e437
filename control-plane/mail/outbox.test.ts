import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type Clock, systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage } from '../storage/storage.ts';
import { type Delivery, emptyOutbox } from './outbox.ts';
import { insertOutgoing, type Outgoing } from './outbox.store.ts';

const runningMax = 6;

/** An outbox of two organizations, whose receiver is the test. */
async function openOutbox(
  t: TestContext,
  { database, clock }: { readonly database: TestDatabase; readonly clock: Clock },
  deliver: (row: Outgoing, signal: AbortSignal) => Promise<Delivery>,
) {
  const dataDir = tempDir(t);
  const log = createLog({ name: 'test', level: 'silent' });
  const storage = await openStorage({ url: await database.createWithSchema(dataDir), dataDir, log });
  const ending = new AbortController();
  let ended = 0;
  const put = (organization: string, id: string): Promise<void> =>
    storage.transaction((trx) =>
      insertOutgoing(trx, 'outgoing_webhook', {
        id,
        organization,
        template: 'API.API_DEPLOYED',
        recipient: 'hooks.example.com',
        sealed: Buffer.from(id),
        state: 'WAITING',
        tries: 0,
        created_at_ms: clock.now(),
        due_at_ms: clock.now(),
        ends_at_ms: clock.now() + 3_600_000,
        problem: null,
      }),
    );
  for (const id of ['acme', 'globex'])
    await storage.db
      .insertInto('organization')
      .values({ id, name: id, description: '', hrid: id, created_at_ms: 0, updated_at_ms: 0 })
      .execute();
  const start = (): void => {
    const { done } = emptyOutbox(
      {
        storage,
        clock,
        log,
        queue: 'outgoing_webhook',
        name: 'call of a webhook',
        keptMs: 60_000,
        triesMax: 3,
        runningMax,
        deliver,
        onEnded: () => (ended += 1),
        onCounted: () => undefined,
      },
      ending.signal,
    );
    t.after(() => (ending.abort(), done));
  };
  t.after(() => storage.close());
  return { put, start, ended: () => ended };
}

/** Answers nobody until the outbox ends. */
const silence = (signal: AbortSignal): Promise<Delivery> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve({ kind: 'trouble', problem: 'The end.' }), { once: true }),
  );

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `whose receivers are silent holds up nobody else, however much of his waits (${database.name})`,
    options,
    async (t) => {
      const taken: string[] = [];
      let silent = 0;
      const { put, start, ended } = await openOutbox(t, { database, clock: systemClock }, (row, signal) => {
        if (row.organization === 'globex') {
          taken.push(row.id);
          return Promise.resolve({ kind: 'sent' });
        }
        silent += 1;
        return silence(signal);
      });
      for (let n = 0; n < 40; n += 1) await put('acme', `silent-${n}`);
      start();
      await eventually(() => silent === 4);
      for (let n = 0; n < 20; n += 1) await put('globex', `${n}`);
      await eventually(() => ended() === 20);
      assert.equal(new Set(taken).size, 20, 'each once');
      assert.equal(silent, 4);
    },
  );

  test(
    `many are sent one behind the other, without a pause for each few (${database.name})`,
    options,
    async (t) => {
      let most = 0;
      let running = 0;
      const { put, start, ended } = await openOutbox(t, { database, clock: createFakeClock() }, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return { kind: 'sent' };
      });
      for (let n = 0; n < 100; n += 1) await put(n % 2 === 0 ? 'acme' : 'globex', `${n}`);
      start();
      await eventually(() => ended() === 100);
      // No time has passed.
      assert.ok(most <= runningMax, `${most} at once`);
    },
  );
}
