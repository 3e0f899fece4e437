import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { createFleets } from '../../control-plane/publish/fleets.ts';
import { createPublisher, type PublishChange } from '../../control-plane/publish/publisher.ts';
import { createPublishedRepository } from '../../control-plane/publish/repository.ts';
import { emptySeats, settleSeats } from '../../control-plane/publish/seats.ts';
import { openStorage, type Storage } from '../../control-plane/storage/storage.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { testDatabases, type TestDatabase } from '../kit/servers/databases.ts';
import { createFakeClock } from '../kit/fake-clock.ts';
import { createTestRole } from '../kit/servers/roles.ts';
import { tempDir } from '../kit/temp-dir.ts';
import {
  describePublishedRepository,
  type ContractChange,
  type PublishedRepositoryHarness,
} from './published-repository.ts';
import { describeSeatLedger } from './seat-ledger.ts';

for (const database of testDatabases) {
  const name = `control-plane/publish on ${database.name}`;
  if (database.skip !== false) {
    test(`PublishedRepository: ${name}`, { skip: database.skip }, () => undefined);
    continue;
  }
  for (const describe of [describePublishedRepository, describeSeatLedger]) {
    describe(name, (t) => createHarness(t, database));
    if (database.name === 'postgres')
      describe(`${name}, under the role of a bridge`, (t) => createHarness(t, database, true));
  }
}

const log = { info: () => undefined, warn: () => undefined };
const tombstoneMs = 30 * 24 * 3_600_000;
const at = { organization: 'org', environment: 'dev' };

async function createHarness(
  t: TestContext,
  database: TestDatabase,
  isUnderBridgeRole = false,
): Promise<PublishedRepositoryHarness> {
  const dataDir = tempDir(t);
  const url = await database.createWithSchema(dataDir);
  const storage = await openStorage({ url, dataDir, log });
  t.after(() => storage.close());
  const clock = createFakeClock(Date.now());
  const keyring = openKeyring({ keys: [{ id: 'test', key: randomBytes(32) }] });
  const publisher = createPublisher({ storage, keyring, clock, log });
  await storage.transaction(async (trx) => {
    await publisher.ensureOrganization(trx, { id: at.organization, name: 'Organization' });
    await publisher.ensureEnvironment(trx, at.organization, { id: at.environment, name: 'Environment' });
  });
  // To this desk every token lies in the future, also those that have expired for everybody else.
  const fleets = createFleets({ storage, publisher, clock: createFakeClock(0) });
  const by = { organization: at.organization, actor: 'test' };
  return {
    repository: createPublishedRepository({
      storage: isUnderBridgeRole ? await openAsBridge(t, url) : storage,
      clock,
    }),
    at,
    rootKey: (await publisher.keys.root(storage.db, at.organization)).publicKey,
    async publish(changes) {
      const { seq } = await storage.transaction((trx) =>
        publisher.publish(trx, at, { changes: changes.map(toPublish), actor: by.actor }),
      );
      await publisher.published(at);
      return seq;
    },
    async prune() {
      clock.jump(tombstoneMs + 1);
      await publisher.tidy();
    },
    createToken: ({ usesMax = 1, expiresAtMs = clock.now() + 3_600_000 } = {}) =>
      storage.transaction(async (trx) => {
        const wish = { name: randomBytes(4).toString('hex'), tags: [], environments: [at.environment] };
        const fleet = await fleets.create(trx, by, wish);
        const bridge = 'https://bridge.example.com';
        const token = { fleet: fleet.id, bridge, expiresAtMs, usesMax, actor: by.actor };
        return (await fleets.createToken(trx, at.organization, token)).token;
      }),
    async reseat(gateway, instance) {
      await storage.transaction((trx) => settleSeats(storage, trx, { gateway, instance }));
    },
    emptySeats: () => storage.transaction(emptySeats),
    async revoke(id) {
      await storage.transaction((trx) => fleets.revokeGateway(trx, { organization: at.organization, id }));
      await publisher.published();
    },
  };
}

async function openAsBridge(t: TestContext, ownerUrl: string | undefined): Promise<Storage> {
  const { url } = await createTestRole(t, ownerUrl ?? '');
  const storage = await openStorage({ url, dataDir: tempDir(t), log, mode: 'existing' });
  t.after(() => storage.close());
  return storage;
}

function toPublish({ kind, id, tags = [], payload }: ContractChange): PublishChange {
  return payload === undefined ? { kind, id, isDeleted: true } : { kind, id, revision: '1', tags, payload };
}
