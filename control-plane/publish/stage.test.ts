import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { bucketHashesOf, digestOf } from '../../proto/trust/digest.ts';
import { verifyHead } from '../../proto/trust/heads.ts';
import { decodeHead, type SignedHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef, PublishedRepository, RecordHeader } from '../../proto/wire/published.ts';
import { openKeyring, type Keyring } from '../../proto/process/secrets.ts';
import type { TestDatabase } from '../../test/kit/servers/databases.ts';
import { createFakeClock, type FakeClock } from '../../test/kit/fake-clock.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStorage, type Storage } from '../storage/storage.ts';
import { createFleets, type Fleets } from './fleets.ts';
import { createPublisher, type PublishChange, type Publisher } from './publisher.ts';
import { createPublishedRepository } from './repository.ts';

/** A publisher, its repository and one organization with two environments, on a fresh database. */
export interface Stage {
  readonly storage: Storage;
  readonly url: string | undefined;
  readonly keyring: Keyring;
  readonly clock: FakeClock;
  readonly publisher: Publisher;
  readonly repository: PublishedRepository;
  readonly fleets: Fleets;
  readonly at: EnvironmentRef;
  /** Another environment of the same organization. */
  readonly beside: EnvironmentRef;
  readonly publish: (at: EnvironmentRef, ...changes: readonly PublishChange[]) => Promise<number>;
  readonly allHeaders: (at: EnvironmentRef) => Promise<readonly RecordHeader[]>;
  /** The newest head, verified with proto/trust as a gateway would, its digest compared with all headers. */
  readonly verifiedHead: (at: EnvironmentRef, seen?: SignedHead) => Promise<SignedHead>;
}

export const silent = { info: () => undefined, warn: () => undefined };

/** Opens one; a keyring is handed over when a second installation must open what the first sealed. */
export async function openStage(
  t: TestContext,
  database: TestDatabase,
  given: { readonly keyring?: Keyring; readonly isEmpty?: boolean; readonly url?: string } = {},
): Promise<Stage> {
  const dataDir = tempDir(t);
  const url = given.url ?? (await database.createWithSchema(dataDir));
  const storage = await openStorage({ url, dataDir, log: silent });
  t.after(() => storage.close());
  const keyring = given.keyring ?? openKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] });
  // From the database's time on: what a gateway presents is judged by that.
  const clock = createFakeClock(Date.now());
  const publisher = createPublisher({ storage, keyring, clock, log: silent });
  const repository = createPublishedRepository({ storage, clock });
  const at = { organization: 'org', environment: 'env' };
  const beside = { organization: 'org', environment: 'beside' };
  if (given.isEmpty !== true)
    await storage.transaction(async (trx) => {
      await publisher.ensureOrganization(trx, { id: 'org', name: 'Organization' });
      await publisher.ensureEnvironment(trx, 'org', { id: 'env', name: 'Environment' });
      await publisher.ensureEnvironment(trx, 'org', { id: 'beside', name: 'Beside' });
    });

  const allHeaders: Stage['allHeaders'] = async (ref) => {
    const headers: RecordHeader[] = [];
    for (;;) {
      const page = await repository.headersAfter(ref, headers.at(-1)?.seq ?? 0, 5_000);
      headers.push(...page.headers);
      if (!page.hasMore) return headers;
    }
  };
  return {
    storage,
    url,
    keyring,
    clock,
    publisher,
    repository,
    fleets: createFleets({ storage, publisher, clock }),
    at,
    beside,
    publish: async (ref, ...changes) => {
      const { seq } = await storage.transaction((trx) =>
        publisher.publish(trx, ref, { changes, actor: 'tester' }),
      );
      await publisher.published(ref);
      return seq;
    },
    allHeaders,
    async verifiedHead(ref, seen) {
      const published = await repository.head(ref);
      assert.ok(published, 'there is a head');
      const root = await publisher.keys.root(storage.db, ref.organization);
      const verdict = verifyHead(published.bytes, {
        rootKey: root.publicKey,
        certificates: await repository.certificates(ref),
        lastSeen: seen,
        environment: ref,
        nowMs: clock.now(),
      });
      assert.equal(verdict.kind, 'ok', JSON.stringify(verdict));
      const head = decodeHead(published.bytes);
      const headers = await allHeaders(ref);
      assert.equal(head.count, headers.length);
      assert.deepEqual(Buffer.from(head.digest), Buffer.from(digestOf(bucketHashesOf(headers))));
      assert.deepEqual([head.epoch, head.seq], [published.epoch, published.seq]);
      return head;
    },
  };
}

/** An API's record with that id; the payload is opaque to publishing. */
export function api(
  id: string,
  more: { readonly revision?: string; readonly tags?: readonly string[] } = {},
): PublishChange {
  return {
    kind: 'api',
    id,
    revision: more.revision ?? '1',
    tags: more.tags ?? [],
    payload: Buffer.from(`api ${id}`),
  };
}
