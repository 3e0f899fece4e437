import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openSqlite } from '../../proto/process/sqlite.ts';
import { encodeGatewaySettings } from '../../proto/wire/payloads.ts';
import { type RecordKind, recordKinds } from '../../proto/wire/published.ts';
import { decodeRecord, encodeRecord } from '../../proto/wire/record.ts';
import type { MemoryChange } from '../../test/kit/bridge/memory-repository.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { identityOf, startSyncGateway, type SyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { nowhere } from '../../test/kit/gateway/written-store.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

/** A gateway that has followed a bridge, its file to write into, and starts over it with no bridge. */
async function world(t: TestContext) {
  const { repository, url } = await startTestBridge(t, { limits: { pollEveryMs: 50 } });
  const enrolled = repository.addGateway();
  const dir = tempDir(t, 'tampered');
  const start = (bridge: string): SyncGateway => {
    const gateway = startSyncGateway({
      dir,
      url: bridge,
      identity: identityOf(repository, enrolled, bridge),
    });
    t.after(() => gateway.close());
    return gateway;
  };
  return {
    publish: (...changes: readonly MemoryChange[]) => repository.publish('dev', changes),
    /** Follows the bridge until this was applied, and ends. */
    async follow(seq: number) {
      const gateway = start(url);
      await eventually(() => gateway.sync.state().environments[0]?.seq === seq);
      await gateway.close();
    },
    startAlone: () => start(nowhere),
    write<Result>(work: (database: ReturnType<typeof openSqlite>) => Result): Result {
      const database = openSqlite(join(dir, 'store.sqlite'), { durable: 'normal' });
      try {
        return work(database);
      } finally {
        database.close();
      }
    },
  };
}

const api = (id: string, text: string): MemoryChange => ({ kind: 'api', id, payload: Buffer.from(text) });
const ownSettings = {
  kind: 'gateway-settings',
  id: 'fleet-1',
  payload: encodeGatewaySettings({ fleet: 'fleet-1', tags: [], isRevoked: false }),
} as const satisfies MemoryChange;

/** One of each kind that this gateway is to have. */
const oneOf = (kind: RecordKind): MemoryChange => {
  if (kind === 'gateway-settings') return ownSettings;
  const tags = kind === 'environment-key' ? ['fleet-1'] : [];
  return { kind, id: `one-${kind}`, payload: Buffer.from('something'), tags };
};

for (const kind of recordKinds)
  test(`a store that has lost the content of a record of the kind ${kind} is set aside, as a bridge that withholds it is refused`, async (t) => {
    const { publish, follow, startAlone, write } = await world(t);
    await follow(publish(...recordKinds.map(oneOf)));
    write((database) => database.prepare('UPDATE records SET bytes = NULL WHERE kind = ?').run(kind));
    const gateway = startAlone();
    assert.equal(gateway.served.size, 0);
    assert.equal(gateway.sync.state().isComplete, false, 'the next hello asks for everything');
    assert.equal(gateway.store.health().problem?.code, 'store.corrupt');
  });

test('what was never ours has no content, and the store is served', async (t) => {
  const { publish, follow, startAlone } = await world(t);
  const others = { ...ownSettings, id: 'fleet-2' };
  const key = { ...oneOf('environment-key'), tags: ['fleet-2'] };
  await follow(publish(ownSettings, others, key, api('a', 'good')));
  const gateway = startAlone();
  assert.equal(gateway.store.health().problem, undefined);
  assert.equal(gateway.sync.state().isComplete, true);
  assert.equal(gateway.served.get('dev/api/a'), 'good');
});

type Row = { readonly previous: Uint8Array };
type Write = Parameters<Awaited<ReturnType<typeof world>>['write']>[0];

/** Has another content for what the API was before. */
const forge: Write = (database) => {
  const { previous } = database.prepare("SELECT previous FROM records WHERE id = 'a'").get() as Row;
  const forged = encodeRecord({ ...decodeRecord(previous), payload: Buffer.from('forged') });
  database.prepare("UPDATE records SET previous = ? WHERE id = 'a'").run(forged);
};

const forgeries: readonly (readonly [what: string, write: Write])[] = [
  ['other bytes', forge],
  [
    'the bytes of another record',
    (database) =>
      database.exec(
        "UPDATE records SET previous = (SELECT previous FROM records WHERE id = 'b') WHERE id = 'a'",
      ),
  ],
  [
    'other bytes and no proof',
    (database) => {
      forge(database);
      database.exec("DELETE FROM predecessors WHERE id = 'a'");
    },
  ],
  [
    'other bytes and the proof of another record',
    (database) => {
      forge(database);
      database.exec(
        "UPDATE predecessors SET proof = (SELECT proof FROM predecessors WHERE id = 'b') WHERE id = 'a'",
      );
    },
  ],
  [
    'other bytes and an empty proof',
    (database) => {
      forge(database);
      database.exec("UPDATE predecessors SET proof = x'' WHERE id = 'a'");
    },
  ],
];

for (const [what, tamper] of forgeries)
  test(`a refused record is not served as it was before when somebody wrote ${what} there, nor at the start after that`, async (t) => {
    const { publish, follow, startAlone, write } = await world(t);
    publish(api('a', 'good a'), api('b', 'good b'));
    await follow(2);
    await follow(publish(api('a', 'bad a'), api('b', 'bad b')));
    write(tamper);
    // The one between follows the bridge, which has it settle what it has taken.
    for (const again of [false, true]) {
      if (again) await follow(publish(api('c', 'good c')));
      const gateway = startAlone();
      assert.equal(gateway.served.get('dev/api/a'), undefined);
      assert.equal(gateway.served.get('dev/api/b'), 'good b', 'the others are served as before');
      assert.deepEqual(
        gateway.sync
          .state()
          .environments[0]?.nacks.map(({ id }) => id)
          .toSorted(),
        ['a', 'b'],
      );
      await gateway.close();
    }
  });

test('a proof of what a record was before holds for the revision that it was made for', async (t) => {
  const { publish, follow, startAlone, write } = await world(t);
  await follow(publish(api('a', 'good 1')));
  await follow(publish(api('a', 'bad 2')));
  const old = write((database) => ({
    ...(database.prepare("SELECT previous FROM records WHERE id = 'a'").get() as Row),
    ...(database.prepare("SELECT proof FROM predecessors WHERE id = 'a'").get() as { proof: Uint8Array }),
  }));
  await follow(publish(api('a', 'good 3')));
  await follow(publish(api('a', 'bad 4')));
  let gateway = startAlone();
  assert.equal(gateway.served.get('dev/api/a'), 'good 3');
  await gateway.close();
  write((database) => {
    database.prepare("UPDATE records SET previous = ? WHERE id = 'a'").run(old.previous);
    database.prepare("UPDATE predecessors SET proof = ? WHERE id = 'a'").run(old.proof);
  });
  gateway = startAlone();
  assert.equal(gateway.served.get('dev/api/a'), undefined);
});

test('what refused records were before goes along when the file is set aside for another environment, and no forgery does', async (t) => {
  const { publish, follow, startAlone, write } = await world(t);
  await follow(publish(api('a', 'good a'), api('b', 'good b'), api('c', 'good c')));
  await follow(publish(api('a', 'bad a'), api('b', 'bad b')));
  write((database) => {
    database.exec(`INSERT INTO environments
      SELECT 'other', organization, epoch, seq, x'00', certificates, tags, refused, applied_at FROM environments`);
    const { previous } = database.prepare("SELECT previous FROM records WHERE id = 'b'").get() as Row;
    const forged = encodeRecord({ ...decodeRecord(previous), payload: Buffer.from('forged') });
    database.prepare("UPDATE records SET previous = ? WHERE id = 'b'").run(forged);
  });
  for (const problem of ['store.corrupt', undefined]) {
    const gateway = startAlone();
    assert.equal(gateway.store.health().problem?.code, problem);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => gateway.served.get(`dev/api/${id}`)),
      ['good a', undefined, 'good c'],
    );
    const nacks = gateway.sync.state().environments.flatMap((each) => each.nacks.map(({ id }) => id));
    assert.deepEqual(nacks.toSorted(), ['a', 'b']);
    await gateway.close();
  }
});
