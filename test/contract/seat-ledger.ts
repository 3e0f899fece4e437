import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { makeNonce, readNonce } from '../../proto/trust/nonces.ts';
import { hashTicket, type ClaimOutcome, type SeatRole } from '../../proto/trust/seats.ts';
import { createSealingKeyPair, createSigningKeyPair } from '../../proto/trust/keys.ts';
import type { PublishedRepositoryHarness } from './published-repository.ts';

const leaseMs = 15_000;

/** The promises of SeatLedger; every implementation passes them. */
export function describeSeatLedger(
  name: string,
  create: (t: TestContext) => Promise<PublishedRepositoryHarness>,
): void {
  const open = async (t: TestContext) => sceneOf(await create(t));
  describe(`SeatLedger: ${name}`, () => {
    nonceTests(open);
    ticketTests(open);
    rivalTests(open);
  });
}

async function sceneOf(harness: PublishedRepositoryHarness) {
  const { repository } = harness;
  const request = {
    token: await harness.createToken(),
    signingKey: createSigningKeyPair().publicKey,
    sealingKey: createSealingKeyPair().publicKey,
    hostname: 'host',
    version: '1',
  };
  const { id } = await repository.enrol(request);
  let claims = 0;
  /** Claims with a ticket and says what came of it, and the ticket that was handed out. */
  const claim = async (
    instance: string,
    ticket: string | undefined,
    wish: { readonly role?: SeatRole; readonly leaseMs?: number; readonly madeAtMs?: number } = {},
  ): Promise<ClaimOutcome & { readonly next: string }> => {
    claims += 1;
    const next = `ticket ${claims} of ${instance}`;
    const outcome = await repository.claimSeat(
      { gateway: id, role: wish.role ?? 'gateway' },
      {
        instance,
        hostname: 'host',
        source: '127.0.0.1',
        ticket: ticket === undefined ? undefined : hashTicket(ticket),
        next: hashTicket(next),
        nonceMadeAtMs: wish.madeAtMs ?? claims,
        leaseMs: wish.leaseMs ?? leaseMs,
      },
    );
    return { ...outcome, next };
  };
  const seat = (instance: string) => ({ gateway: id, role: 'gateway' as const, instance });
  return { harness, repository, id, claim, seat };
}

type Open = (t: TestContext) => ReturnType<typeof sceneOf>;

function nonceTests(open: Open): void {
  test('a nonce counts once, and only for a minute of the database', async (t) => {
    const { repository } = await open(t);
    const { keys, nowMs } = await repository.nonceKeys();
    assert.ok(keys[0] !== undefined);
    const nonce = makeNonce(keys[0], nowMs);
    assert.equal(readNonce(nonce, (await repository.nonceKeys()).keys)?.issuedAtMs, nowMs);
    const taken = await Promise.all([1, 2, 3].map(() => repository.takeNonce(nonce, nowMs)));
    assert.equal(taken.filter((isTaken) => isTaken).length, 1);
    assert.equal(await repository.takeNonce(nonce, nowMs), false);
    const old = makeNonce(keys[0], nowMs - 61_000);
    assert.equal(await repository.takeNonce(old, nowMs - 61_000), false);
    const young = makeNonce(keys[0], nowMs - 50_000);
    assert.equal(await repository.takeNonce(young, nowMs - 50_000), true);
  });
}

function ticketTests(open: Open): void {
  test('of several first claims at once one sits', async (t) => {
    const { claim } = await open(t);
    const outcomes = await Promise.all(['a', 'b', 'c'].map((instance) => claim(instance, undefined)));
    assert.equal(outcomes.filter(({ kind }) => kind === 'seated').length, 1);
  });

  test('a restart with the last ticket sits at once when the lease has ended, and one with a lost answer too', async (t) => {
    const { claim, repository, seat } = await open(t);
    const first = await claim('a', undefined);
    assert.equal(first.kind, 'seated');
    const held = await claim('b', first.next);
    assert.equal(held.kind, 'held');
    await repository.releaseSeat(seat('a'));
    const second = await claim('b', first.next);
    assert.equal(second.kind, 'seated');
    // The answer with the new ticket was lost: the one before it is good until the new one was presented.
    await repository.releaseSeat(seat('b'));
    const third = await claim('c', first.next);
    assert.equal(third.kind, 'seated');
    await repository.releaseSeat(seat('c'));
    assert.equal((await claim('d', third.next)).kind, 'seated');
    await repository.releaseSeat(seat('d'));
    assert.equal((await claim('e', first.next)).kind, 'stale');
  });

  test('a copy with an old ticket, or none, never sits, whatever the lease', async (t) => {
    const { claim, repository, seat } = await open(t);
    const first = await claim('a', undefined);
    const second = await claim('a', first.next);
    await claim('a', second.next);
    await repository.releaseSeat(seat('a'));
    for (const ticket of [undefined, first.next, 'invented'])
      assert.deepEqual((await claim('copy', ticket)).kind, 'stale', ticket);
    assert.deepEqual(await repository.useSeat(seat('copy'), leaseMs), { kind: 'taken', holder: 'a' });
    assert.equal((await repository.useSeat(seat('a'), leaseMs)).kind, 'seated');
  });

  test('two copies of one running process cannot both go on', async (t) => {
    const { claim } = await open(t);
    const first = await claim('a', undefined);
    const one = await claim('a', first.next);
    const other = await claim('a', first.next);
    assert.deepEqual([one.kind, other.kind], ['seated', 'seated']);
    const outcomes = [await claim('a', one.next), await claim('a', other.next)];
    assert.deepEqual(outcomes.map(({ kind }) => kind).toSorted(), ['seated', 'stale']);
  });

  test('who comes with a ticket whose successor has arrived elsewhere sits when that one is gone, and is told of', async (t) => {
    const { claim, repository, seat } = await open(t);
    const first = await claim('original', undefined);
    await repository.useSeat(seat('original'), leaseMs);
    await repository.releaseSeat(seat('original'));
    // Both have the same ticket; the copy is faster, goes through a door, and is gone again.
    const copy = await claim('copy', first.next);
    assert.equal(copy.kind === 'seated' && copy.double, undefined);
    await repository.useSeat(seat('copy'), leaseMs);
    await repository.releaseSeat(seat('copy'));
    const back = await claim('original again', first.next);
    assert.equal(back.kind === 'seated' && back.double?.instance, 'copy');
    assert.equal((await claim('copy', copy.next)).kind, 'stale');
    // A process that claims again without having kept the answer is nobody's double.
    const again = await claim('original again', first.next);
    assert.equal(again.kind === 'seated' && again.double, undefined);
  });

  test('a claim that was overtaken on its way undoes nothing', async (t) => {
    const { claim } = await open(t);
    const first = await claim('a', undefined);
    const later = await claim('a', first.next, { madeAtMs: 20 });
    assert.equal((await claim('a', first.next, { madeAtMs: 19 })).kind, 'late');
    assert.equal((await claim('a', later.next, { madeAtMs: 21 })).kind, 'seated');
  });
}

function rivalTests(open: Open): void {
  test('a rival is told of once, when the holder shows life', async (t) => {
    const { claim, repository, seat } = await open(t);
    const first = await claim('a', undefined);
    assert.equal((await claim('b', first.next)).kind, 'held');
    const kept = await repository.keepSeats([seat('a'), seat('b')], leaseMs);
    assert.deepEqual(kept, { lost: [seat('b')], vacant: [], contested: [seat('a')] });
    const use = await repository.useSeat(seat('a'), leaseMs);
    assert.equal(use.kind === 'seated' && use.rival?.instance, 'b');
    assert.deepEqual(await repository.useSeat(seat('a'), leaseMs), { kind: 'seated', rival: undefined });
    assert.deepEqual(await repository.keepSeats([seat('a')], leaseMs), {
      lost: [],
      vacant: [],
      contested: [],
    });
  });

  test('a seat that a restore emptied is vacant, lost only once somebody else has claimed it', async (t) => {
    const { claim, repository, seat, harness } = await open(t);
    const first = await claim('a', undefined);
    await harness.emptySeats();
    const kept = await repository.keepSeats([seat('a')], leaseMs);
    assert.deepEqual(kept, { lost: [], vacant: [seat('a')], contested: [] });
    assert.deepEqual(await repository.useSeat(seat('a'), leaseMs), { kind: 'none' });
    const copy = await claim('copy', first.next);
    assert.equal(copy.kind, 'seated');
    await claim('copy', copy.next);
    const after = await repository.keepSeats([seat('a')], leaseMs);
    assert.deepEqual(after, { lost: [seat('a')], vacant: [], contested: [] });
    assert.equal((await claim('a', first.next)).kind, 'stale');
  });

  test('gateway and shipper of one identity sit apart', async (t) => {
    const { claim, repository, seat, id } = await open(t);
    assert.equal((await claim('g', undefined)).kind, 'seated');
    assert.equal((await claim('s', undefined, { role: 'shipper' })).kind, 'seated');
    assert.equal((await repository.useSeat(seat('g'), leaseMs)).kind, 'seated');
    const shipper = { gateway: id, role: 'shipper' as const, instance: 's' };
    assert.equal((await repository.useSeat(shipper, leaseMs)).kind, 'seated');
    assert.equal((await repository.useSeat({ ...shipper, instance: 'g' }, leaseMs)).kind, 'taken');
  });

  test('an operator gives the seat to the one that he names, and the other stays out', async (t) => {
    const { claim, repository, seat, id, harness } = await open(t);
    const original = await claim('original', undefined);
    await repository.releaseSeat(seat('original'));
    const copy = await claim('copy', original.next);
    const copyAgain = await claim('copy', copy.next);
    assert.equal((await claim('original', original.next)).kind, 'stale');
    await harness.reseat(id, 'somebody');
    assert.equal((await repository.useSeat(seat('copy'), leaseMs)).kind, 'seated');
    await harness.reseat(id, 'original');
    assert.deepEqual(await repository.useSeat(seat('copy'), leaseMs), {
      kind: 'taken',
      holder: 'original',
    });
    assert.equal((await claim('copy', copyAgain.next)).kind, 'stale');
    const back = await claim('original', original.next);
    assert.deepEqual([back.kind, back.kind === 'seated' && back.generation], ['seated', 2]);
    await harness.reseat(id, 'original');
    assert.equal((await claim('original', back.next)).kind, 'seated');
  });
}
