import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { bucketHashesOf, bucketOf, digestOf } from '../../proto/trust/digest.ts';
import { verifyHead } from '../../proto/trust/heads.ts';
import { createSealingKeyPair, createSigningKeyPair } from '../../proto/trust/keys.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type {
  EnrolmentRequest,
  EnvironmentRef,
  PublishedRepository,
  RecordHeader,
  RecordKind,
} from '../../proto/wire/published.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import { eventually } from '../kit/eventually.ts';

/** What a test publishes; without payload it is a deletion. */
export interface ContractChange {
  readonly kind: RecordKind;
  readonly id: string;
  readonly tags?: readonly string[];
  readonly payload?: Uint8Array;
}

/** An implementation of the port with one empty environment, and the hands that move it. */
export interface PublishedRepositoryHarness {
  readonly repository: PublishedRepository;
  readonly at: EnvironmentRef;
  /** The organization's root key, 32 bytes. */
  readonly rootKey: Uint8Array;
  /** Publishes all changes in one head, tells the listeners, and returns the head's seq. */
  readonly publish: (changes: readonly ContractChange[]) => Promise<number>;
  /** Drops all tombstones whatever their age. */
  readonly prune: () => Promise<void>;
  readonly createToken: (options?: {
    readonly usesMax?: number;
    readonly expiresAtMs?: number;
  }) => Promise<string>;
  readonly revoke: (gateway: string) => Promise<void>;
  /** As `isthmus fleet reseat` does. */
  readonly reseat: (gateway: string, instance: string) => Promise<void>;
  /** As a restore does. */
  readonly emptySeats: () => Promise<void>;
}

const payload = new Uint8Array([1, 2, 3]);

/** The promises of PublishedRepository; every implementation passes them. */
export function describePublishedRepository(
  name: string,
  create: (t: TestContext) => Promise<PublishedRepositoryHarness>,
): void {
  describe(`PublishedRepository: ${name}`, () => {
    test('nothing published is nothing served', async (t) => {
      const { repository, at } = await create(t);
      assert.deepEqual((await repository.headersAfter(at, 0, 10)).headers, []);
      assert.deepEqual(await repository.headersInBuckets(at, [0, 255]), []);
      const head = await repository.head(at);
      if (head !== undefined) assert.ok(head.seq >= 0);
    });

    test('a head is signed, and its digest, count and bucket hashes are those of the headers', async (t) => {
      const harness = await create(t);
      await harness.publish([
        { kind: 'api', id: 'a', tags: ['x', 'dmz'], payload },
        { kind: 'subscription', id: 's', payload },
      ]);
      const seq = await harness.publish([{ kind: 'api', id: 'a' }]);
      const head = await verifiedHead(harness);
      const headers = await allHeaders(harness);
      assert.equal(head.seq, seq);
      assert.equal(head.count, headers.length);
      const hashes = bucketHashesOf(headers);
      assert.ok(Buffer.from(hashes).equals(await harness.repository.bucketHashes(harness.at)));
      assert.ok(Buffer.from(digestOf(hashes)).equals(head.digest));
      const published = await harness.repository.head(harness.at);
      assert.deepEqual([published?.seq, published?.epoch], [head.seq, head.epoch]);
    });

    test('headers come once per record, latest, by rising seq, in pages, tombstones too', async (t) => {
      const harness = await create(t);
      const ids = ['a', 'b', 'c', 'd', 'e'];
      for (const id of ids) await harness.publish([{ kind: 'api', id, payload }]);
      await harness.publish([{ kind: 'api', id: 'b' }]);
      const headers = await allHeaders(harness, 2);
      assert.deepEqual(
        headers.map(({ id }) => id),
        ['a', 'c', 'd', 'e', 'b'],
      );
      assert.deepEqual(
        headers.map(({ isDeleted }) => isDeleted),
        [false, false, false, false, true],
      );
      const seqs = headers.map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(seqs).size, seqs.length);
    });

    test('a payload is the record that its header proves, and says the same of itself', async (t) => {
      const { repository, at, publish } = await create(t);
      await publish([{ kind: 'api', id: 'a', tags: ['x', 'b'], payload }]);
      const { headers } = await repository.headersAfter(at, 0, 10);
      const [record] = await repository.payloads(at, headers);
      assert.ok(record);
      assert.ok(createHash('sha256').update(record.bytes).digest().equals(record.header.sha256));
      const decoded = decodeRecord(record.bytes);
      assert.deepEqual(
        { ...decoded, revision: '', payload: [...decoded.payload] },
        {
          ...at,
          kind: 'api',
          id: 'a',
          seq: record.header.seq,
          revision: '',
          tags: ['b', 'x'],
          isDeleted: false,
          payload: [...payload],
        },
      );
      assert.deepEqual(record.header.tags, ['b', 'x']);
    });

    test('a record that was replaced meanwhile is left out of the payloads', async (t) => {
      const { repository, at, publish } = await create(t);
      await publish([
        { kind: 'api', id: 'a', payload },
        { kind: 'api', id: 'b', payload },
      ]);
      const { headers } = await repository.headersAfter(at, 0, 10);
      await publish([{ kind: 'api', id: 'a', payload: new Uint8Array([9]) }]);
      const records = await repository.payloads(at, headers);
      assert.deepEqual(
        records.map(({ header }) => header.id),
        ['b'],
      );
    });

    test('whole buckets can be asked for', async (t) => {
      const { repository, at, publish } = await create(t);
      const ids = Array.from({ length: 40 }, (_, index) => `api-${index}`);
      await publish(ids.map((id) => ({ kind: 'api', id, payload })));
      const buckets = [bucketOf('api', 'api-3'), bucketOf('api', 'api-30')];
      const headers = await repository.headersInBuckets(at, buckets);
      assert.deepEqual(
        headers.map(({ id }) => id),
        ids.filter((id) => buckets.includes(bucketOf('api', id))).toSorted(),
      );
    });

    test('pruned tombstones leave in a head of their own, and older cursors need a snapshot', async (t) => {
      const harness = await create(t);
      const first = await harness.publish([
        { kind: 'api', id: 'a', payload },
        { kind: 'api', id: 'b', payload },
      ]);
      assert.ok((await harness.repository.oldestCursor(harness.at)) <= first);
      const deleted = await harness.publish([{ kind: 'api', id: 'a' }]);
      await harness.prune();
      const head = await verifiedHead(harness);
      assert.ok(head.seq > deleted);
      assert.equal(head.count, 1);
      assert.ok(Buffer.from(digestOf(bucketHashesOf(await allHeaders(harness)))).equals(head.digest));
      assert.ok((await harness.repository.oldestCursor(harness.at)) > first);
    });

    test('listeners hear of a publication until they leave', async (t) => {
      const { repository, at, publish } = await create(t);
      const heard: string[] = [];
      const leave = repository.onPublished((environment) => heard.push(environment));
      await publish([{ kind: 'api', id: 'a', payload }]);
      await eventually(() => heard.includes(at.environment) || heard.includes(''));
      leave();
      const count = heard.length;
      await publish([{ kind: 'api', id: 'b', payload }]);
      assert.equal(heard.length, count);
    });

    test('another environment or organization sees nothing', async (t) => {
      const { repository, at, publish } = await create(t);
      await publish([{ kind: 'api', id: 'a', payload }]);
      const { headers } = await repository.headersAfter(at, 0, 10);
      for (const foreign of [
        { ...at, environment: 'elsewhere' },
        { ...at, organization: 'elsewhere' },
      ]) {
        assert.equal(await repository.head(foreign), undefined);
        assert.deepEqual((await repository.headersAfter(foreign, 0, 10)).headers, []);
        assert.deepEqual(await repository.payloads(foreign, headers), []);
        assert.deepEqual(await repository.certificates(foreign), []);
      }
    });

    test('a token enrols as often as it says; the gateway is known, and revoked when it is', async (t) => {
      const { repository, createToken, revoke } = await create(t);
      const request = enrolmentWith(await createToken());
      const identity = await repository.enrol(request);
      assert.ok(Buffer.from(identity.signingKey).equals(request.signingKey));
      await assert.rejects(repository.enrol(enrolmentWith(request.token)), { code: 'request.unauthorized' });
      const known = await repository.gateway(identity.id);
      assert.deepEqual(known?.grant, identity.grant);
      assert.equal(known?.isRevoked, false);
      const heard: string[] = [];
      t.after(repository.onPublished((environment) => heard.push(environment)));
      await revoke(identity.id);
      assert.equal((await repository.gateway(identity.id))?.isRevoked, true);
      await eventually(() => heard.includes(''));
      assert.equal(await repository.gateway('nobody'), undefined);
    });

    test('a token for two gateways enrols two; an expired or altered one none', async (t) => {
      const { repository, createToken } = await create(t);
      const token = await createToken({ usesMax: 2 });
      const [one, two] = [
        await repository.enrol(enrolmentWith(token)),
        await repository.enrol(enrolmentWith(token)),
      ];
      assert.notEqual(one.id, two.id);
      await assert.rejects(repository.enrol(enrolmentWith(token)), { code: 'request.unauthorized' });
      const expired = await createToken({ expiresAtMs: 1_000 });
      await assert.rejects(repository.enrol(enrolmentWith(expired)), { code: 'trust.expired' });
      await assert.rejects(repository.enrol(enrolmentWith('ist1.e30.AA')), { code: /^trust\./ });
      await assert.rejects(repository.enrol(enrolmentWith('nonsense')), { code: 'trust.malformed' });
    });

    test('reports and events are taken, and those of strangers do no harm', async (t) => {
      const { repository, at, createToken } = await create(t);
      const { id } = await repository.enrol(enrolmentWith(await createToken()));
      const report = {
        instance: 'i',
        version: '1',
        hostname: 'h',
        startedAtMs: 1,
        policies: ['mock'],
        environments: [],
        counters: { requests: 1 },
      };
      const nack = { kind: 'api', id: 'a', seq: 1, code: 'c', reason: 'r' } as const;
      const applied = { environment: at.environment, epoch: 1, seq: 1 };
      for (const gateway of [id, 'nobody']) {
        await repository.saveReport(gateway, report);
        // All that a report may change: another version, states and refusals that come, change and go.
        for (const environments of [[{ ...applied, nacks: [nack] }], [{ ...applied, seq: 2, nacks: [] }], []])
          await repository.saveReport(gateway, { ...report, version: '2', environments });
        await repository.saveDisconnected(gateway, 'i');
        await repository.saveEvent({ gateway, kind: 'identity.cloned', detail: 'test', atMs: 1 });
      }
    });
  });
}

function enrolmentWith(token: string): EnrolmentRequest {
  return {
    token,
    signingKey: createSigningKeyPair().publicKey,
    sealingKey: createSealingKeyPair().publicKey,
    hostname: 'host',
    version: '0.1.0',
  };
}

async function allHeaders(
  { repository, at }: PublishedRepositoryHarness,
  pageSize = 100,
): Promise<readonly RecordHeader[]> {
  const headers: RecordHeader[] = [];
  for (let cursor = 0, hasMore = true; hasMore;) {
    const page = await repository.headersAfter(at, cursor, pageSize);
    headers.push(...page.headers);
    cursor = page.headers.at(-1)?.seq ?? cursor;
    ({ hasMore } = page);
  }
  return headers;
}

async function verifiedHead({ repository, at, rootKey }: PublishedRepositoryHarness): Promise<SignedHead> {
  const published = await repository.head(at);
  assert.ok(published);
  const certificates = await repository.certificates(at);
  const verdict = verifyHead(published.bytes, { rootKey, certificates, environment: at, nowMs: Date.now() });
  assert.equal(verdict.kind, 'ok', JSON.stringify(verdict));
  if (verdict.kind !== 'ok') throw new Error('unreachable');
  return verdict.head;
}
