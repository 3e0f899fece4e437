import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';
import { createSealingKeyPair, createSigningKeyPair } from '../../proto/trust/keys.ts';
import { makeNonce, readNonce } from '../../proto/trust/nonces.ts';
import { hashTicket, type ClaimOutcome } from '../../proto/trust/seats.ts';
import { testDatabases, type TestDatabase } from '../../test/kit/servers/databases.ts';
import { databaseNowMs } from '../storage/leases.ts';
import type { Storage } from '../storage/storage.ts';
import { createSeatLedger } from './seats.ts';
import { openStage } from './stage.test.ts';

/* What was written before the database's clock was set back, by an hour or by two years, as a replica's or a restored machine's is. */

const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;
const leaseMs = 15_000;

async function open(t: TestContext, database: TestDatabase) {
  const { storage, fleets, repository, clock, at } = await openStage(t, database);
  const by = { organization: at.organization, actor: 'tester' };
  const token = await storage.transaction(async (trx) => {
    const wish = { name: 'fleet', tags: [], environments: [at.environment] };
    const { id: fleet } = await fleets.create(trx, by, wish);
    const expiresAtMs = clock.now() + hourMs;
    const bridge = 'https://bridge.example.com';
    const made = { fleet, bridge, expiresAtMs, usesMax: 1, actor: by.actor };
    return (await fleets.createToken(trx, at.organization, made)).token;
  });
  const { id: gateway } = await repository.enrol({
    token,
    signingKey: createSigningKeyPair().publicKey,
    sealingKey: createSealingKeyPair().publicKey,
    hostname: 'host',
    version: '1',
  });
  const seat = { gateway, role: 'gateway' } as const;
  return { storage, ledger: createSeatLedger(storage), nowMs: await nowOf(storage), seat };
}

async function nowOf({ db, dialect }: Storage): Promise<number> {
  const row = await db.selectNoFrom(databaseNowMs(dialect).as('now')).executeTakeFirstOrThrow();
  return row.now;
}

for (const database of testDatabases) {
  describe(`a database whose clock was set back, ${database.name}`, { skip: database.skip }, () => {
    for (const aheadMs of [hourMs, 2 * yearMs])
      test(`makes nonces with a key of now and forgets those of ${aheadMs / hourMs} h ahead`, async (t) => {
        const { storage, ledger, nowMs } = await open(t, database);
        const key = randomBytes(32);
        const stale = { id: 'ab'.repeat(8), key };
        await storage.db
          .insertInto('bridge_nonce_key')
          .values({ id: stale.id, key_bytes: key, created_at_ms: nowMs + aheadMs })
          .execute();
        await storage.db
          .insertInto('used_nonce')
          .values({ nonce: 'of later', expires_at_ms: nowMs + aheadMs })
          .execute();
        const { keys } = await ledger.nonceKeys();
        assert.equal(keys.length, 1);
        assert.notEqual(keys[0]?.id, stale.id);
        assert.equal(readNonce(makeNonce(stale, nowMs), keys), undefined, 'nothing was collected ahead');
        for (const table of ['bridge_nonce_key', 'used_nonce'] as const) {
          const rows = await storage.db.selectFrom(table).selectAll().execute();
          assert.equal(rows.length, table === 'used_nonce' ? 0 : 1, table);
        }
        const [newest] = keys;
        assert.ok(newest !== undefined);
        assert.equal(await ledger.takeNonce(makeNonce(newest, nowMs), nowMs), true);
        assert.equal(await ledger.takeNonce(makeNonce(newest, nowMs + aheadMs), nowMs + aheadMs), false);
      });

    for (const aheadMs of [hourMs, 2 * yearMs])
      test(`locks nobody out of a seat that was claimed ${aheadMs / hourMs} h ahead`, async (t) => {
        const { storage, ledger, nowMs, seat } = await open(t, database);
        let claims = 0;
        const claim = async (instance: string, ticket: string | undefined) => {
          const next = `ticket ${(claims += 1)}`;
          const outcome: ClaimOutcome = await ledger.claimSeat(seat, {
            instance,
            hostname: 'h',
            source: '192.0.2.1',
            ticket: ticket === undefined ? undefined : hashTicket(ticket),
            next: hashTicket(next),
            nonceMadeAtMs: nowMs + claims,
            leaseMs,
          });
          return { kind: outcome.kind, next };
        };
        const first = await claim('first', undefined);
        const setBack = (): Promise<unknown> =>
          storage.db
            .updateTable('gateway_seat')
            .set({ claimed_at_ms: nowMs + aheadMs, lease_until_ms: nowMs + aheadMs + leaseMs })
            .execute();
        await setBack();
        const again = await claim('first', first.next);
        assert.equal(again.kind, 'seated', 'the same process, whose stream begins anew');
        await setBack();
        assert.equal((await claim('copy', undefined)).kind, 'stale', 'an old ticket is one still');
        assert.equal((await claim('restart', again.next)).kind, 'seated', 'the restart of a dead process');
        assert.equal((await claim('other', again.next)).kind, 'held', 'and from then on as ever');
      });
  });
}
