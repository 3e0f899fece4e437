import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { createSealingKeyPair, createSigningKeyPair } from '../../proto/trust/keys.ts';
import { createEnrolmentToken, readEnrolmentToken } from '../../proto/trust/tokens.ts';
import { decodeGatewaySettings } from '../../proto/wire/payloads.ts';
import type { AppliedState, EnrolmentRequest, GatewayReport, Nack } from '../../proto/wire/published.ts';
import { decodeRecord } from '../../proto/wire/record.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { Fleet, FleetWish } from './fleets.ts';
import { api, openStage, type Stage } from './stage.test.ts';

const hour = 3_600_000;
const by = { organization: 'org', actor: 'tester' };

function makeFleet(stage: Stage, wish: Partial<FleetWish> = {}): Promise<Fleet> {
  return stage.storage.transaction((trx) =>
    stage.fleets.create(trx, by, { name: 'edge', tags: [], environments: ['env'], ...wish }),
  );
}

function makeToken(stage: Stage, fleet: Fleet, usesMax?: number): Promise<{ id: string; token: string }> {
  const wish = {
    fleet: fleet.id,
    bridge: 'https://bridge.example.com',
    expiresAtMs: stage.clock.now() + hour,
    usesMax,
    actor: 'tester',
  };
  return stage.storage.transaction((trx) => stage.fleets.createToken(trx, 'org', wish));
}

function request(token: string): EnrolmentRequest {
  return {
    token,
    signingKey: createSigningKeyPair().publicKey,
    sealingKey: createSealingKeyPair().publicKey,
    hostname: 'host\0name',
    version: '1.0.0',
  };
}

function report(...environments: readonly AppliedState[]): GatewayReport {
  return {
    instance: 'instance-1',
    version: '1.0.1',
    hostname: 'edge-1',
    startedAtMs: 5,
    policies: ['mock'],
    environments,
    counters: { requests: 3 },
  };
}

const applied = (seq: number, ...nacks: readonly Nack[]): AppliedState => ({
  environment: 'env',
  epoch: 1,
  seq,
  nacks,
});

for (const database of testDatabases) {
  describe(`fleets on ${database.name}`, { skip: database.skip }, () => {
    test('a token lets a gateway in with what its fleet grants now, not with what the token says', async (t) => {
      const stage = await openStage(t, database);
      const { fleets, repository, storage } = stage;
      const fleet = await makeFleet(stage, { tags: ['internal', '!beta'], tenant: 'eu' });
      const { token } = await makeToken(stage, fleet);
      const payload = readEnrolmentToken(token);
      assert.deepEqual(
        [payload.bridge, payload.grant.tags],
        ['https://bridge.example.com', ['!beta', 'internal']],
      );
      await storage.transaction((trx) =>
        fleets.update(
          trx,
          { ...by, id: fleet.id },
          { name: 'edge', tags: ['external'], environments: ['beside'] },
        ),
      );
      const wish = request(token);
      const identity = await repository.enrol(wish);
      assert.deepEqual(identity.grant, {
        organization: 'org',
        fleet: fleet.id,
        environments: ['beside'],
        tags: ['external'],
        tenant: undefined,
      });
      const found = await repository.gateway(identity.id);
      assert.deepEqual(Buffer.from(found?.signingKey ?? []), Buffer.from(wish.signingKey));
      assert.deepEqual(found?.grant, identity.grant);
      const [listed] = await fleets.gateways('org', { limit: 10 });
      assert.deepEqual([listed?.hostname, listed?.state], ['hostname', 'never']);
    });

    test('of two that use the last use of a token at once one gets in', async (t) => {
      const stage = await openStage(t, database);
      const fleet = await makeFleet(stage);
      const { token } = await makeToken(stage, fleet, 3);
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => stage.repository.enrol(request(token))),
      );
      assert.equal(results.filter((result) => result.status === 'fulfilled').length, 3);
      for (const result of results)
        if (result.status === 'rejected') assert.equal(result.reason.code, 'request.unauthorized');
      assert.equal((await stage.fleets.gateways('org', { limit: 50 })).length, 3);
      assert.equal((await stage.fleets.tokens('org', fleet.id))[0]?.uses, 3);
    });

    test('a gateway that lost the answer asks again with the same key and is the same gateway', async (t) => {
      const stage = await openStage(t, database);
      const { token } = await makeToken(stage, await makeFleet(stage), 1);
      const wish = request(token);
      const [first, twin] = await Promise.all([stage.repository.enrol(wish), stage.repository.enrol(wish)]);
      assert.equal(twin.id, first.id);
      assert.equal((await stage.repository.enrol(wish)).id, first.id);
      await assert.rejects(stage.repository.enrol(request(token)), { code: 'request.unauthorized' });
      await stage.storage.transaction((trx) =>
        stage.fleets.revokeGateway(trx, { organization: 'org', id: first.id }),
      );
      await assert.rejects(stage.repository.enrol(wish), { code: 'request.unauthorized' });
    });

    test('a token that is expired, revoked, forged, foreign or none is refused', async (t) => {
      const stage = await openStage(t, database);
      const { repository, fleets, storage, clock, publisher } = stage;
      const fleet = await makeFleet(stage);
      const { id, token } = await makeToken(stage, fleet);
      const payload = readEnrolmentToken(token);
      const refuses = (text: string, code: string) =>
        assert.rejects(repository.enrol(request(text)), { code });

      await refuses('nonsense', 'trust.malformed');
      await assert.rejects(repository.enrol({ ...request(token), signingKey: randomBytes(31) }), {
        code: 'trust.malformed',
      });
      const stranger = createSigningKeyPair();
      await refuses(
        createEnrolmentToken({ ...payload, rootKey: stranger.publicKey }, stranger.privateKey),
        'trust.bad_signature',
      );
      const root = await publisher.keys.root(storage.db, 'org');
      const signed = (more: object) => createEnrolmentToken({ ...payload, ...more }, root.privateKey);
      await refuses(signed({ organization: 'nobody' }), 'request.unauthorized');
      await refuses(signed({ secret: randomBytes(32).toString('base64url') }), 'request.unauthorized');
      await refuses(signed({ id: 'unknown' }), 'request.unauthorized');

      await storage.transaction((trx) => fleets.revokeToken(trx, 'org', { fleet: fleet.id, id }));
      await refuses(token, 'request.unauthorized');
      // Good for an hour when it was made, two hours ago; what the bridge's own clock says matters to nobody.
      clock.jump(-2 * hour);
      const second = await makeToken(stage, fleet);
      await refuses(second.token, 'trust.expired');
      assert.deepEqual(await fleets.gateways('org', { limit: 10 }), []);
    });

    test('a fleet is published where it is granted and withdrawn where it is not any more', async (t) => {
      const stage = await openStage(t, database);
      const { storage, fleets, repository, verifiedHead, at, beside } = stage;
      const fleet = await makeFleet(stage, { tags: ['a'], environments: ['env', 'beside'] });
      const settings = async (ref: typeof at) => {
        const { headers } = await repository.headersAfter(ref, 0, 10);
        const [record] = await repository.payloads(ref, headers);
        assert.ok(record);
        return record.header.isDeleted
          ? 'withdrawn'
          : decodeGatewaySettings(decodeRecord(record.bytes).payload);
      };
      assert.deepEqual(await settings(beside), { fleet: fleet.id, tags: ['a'], isRevoked: false });
      await storage.transaction((trx) =>
        fleets.update(
          trx,
          { ...by, id: fleet.id },
          { name: 'edge', tags: ['b'], tenant: 'x', environments: ['env'] },
        ),
      );
      assert.deepEqual(await settings(at), { fleet: fleet.id, tags: ['b'], tenant: 'x', isRevoked: false });
      assert.equal(await settings(beside), 'withdrawn');
      const { seq } = await verifiedHead(at);
      const renamed = { name: 'renamed', tags: ['b'], tenant: 'x', environments: ['env'] };
      await storage.transaction((trx) => fleets.update(trx, { ...by, id: fleet.id }, renamed));
      assert.equal((await verifiedHead(at)).seq, seq, 'gateways need not know of a new name');
      await storage.transaction((trx) => fleets.delete(trx, { ...by, id: fleet.id }));
      assert.equal(await settings(at), 'withdrawn');
      assert.equal(await fleets.get('org', fleet.id), undefined);
      await verifiedHead(at);
      await verifiedHead(beside);
    });

    test('a deleted fleet revokes its gateways, and the hint says so', async (t) => {
      const stage = await openStage(t, database);
      const { repository, fleets, storage, publisher } = stage;
      const fleet = await makeFleet(stage);
      const { id } = await repository.enrol(request((await makeToken(stage, fleet)).token));
      const hints: string[] = [];
      repository.onPublished((environment) => hints.push(environment));
      assert.equal((await repository.gateway(id))?.isRevoked, false);
      await storage.transaction((trx) => fleets.delete(trx, { ...by, id: fleet.id }));
      await publisher.published();
      const gateway = await repository.gateway(id);
      assert.deepEqual([gateway?.isRevoked, gateway?.grant.environments], [true, []]);
      await eventually(() => hints.includes(''));
      assert.equal(await repository.gateway('unknown'), undefined);
    });

    test('a fleet that contradicts itself, names a stranger or takes a name is refused', async (t) => {
      const stage = await openStage(t, database);
      await makeFleet(stage);
      await assert.rejects(makeFleet(stage), { code: 'request.conflict' });
      await assert.rejects(
        makeFleet(stage, { name: 'x', tags: ['a', '!a'], environments: ['elsewhere'] }),
        (fault) => {
          assert.ok(fault instanceof Error && 'details' in fault);
          assert.deepEqual(
            (fault.details as { path: string }[]).map(({ path }) => path),
            ['tags[0]', 'environments[0]'],
          );
          return true;
        },
      );
      assert.equal((await stage.fleets.list('org', { limit: 10 })).length, 1);
    });

    test('what gateways applied and refused is readable, and clears with the next good revision', async (t) => {
      const stage = await openStage(t, database);
      const { repository, fleets, clock, publish, at } = stage;
      const edge = await makeFleet(stage);
      const inner = await makeFleet(stage, { name: 'inner', tags: ['internal'] });
      const elsewhere = await makeFleet(stage, { name: 'elsewhere', environments: ['beside'] });
      const ids: string[] = [];
      for (const fleet of [edge, inner, elsewhere])
        ids.push((await repository.enrol(request((await makeToken(stage, fleet)).token))).id);
      const [id = '', innerId = '', elsewhereId = ''] = ids;
      const state = async () => {
        const { published, gateways } = await fleets.deploymentState(at, { kind: 'api', id: 'a' });
        return { seq: published?.seq, of: new Map(gateways.map((one) => [one.gateway, one])) };
      };
      assert.equal((await state()).seq, undefined);
      const seq = await publish(at, api('a'));
      assert.deepEqual(
        [
          (await state()).of.get(id)?.deployment,
          (await state()).of.get(innerId)?.deployment,
          (await state()).of.has(elsewhereId),
        ],
        ['pending', 'notDeployed', false],
      );
      const nack: Nack = { kind: 'api', id: 'a', seq, code: 'policy.unknown', reason: 'no policy "x"' };
      await repository.saveReport(id, report(applied(seq, nack)));
      const refused = (await state()).of.get(id);
      assert.deepEqual(
        [refused?.deployment, refused?.nack?.code, refused?.nack?.reason, refused?.state],
        ['refused', 'policy.unknown', 'no policy "x"', 'connected'],
      );

      const next = await publish(at, api('a', { revision: '2' }));
      const pending = (await state()).of.get(id);
      assert.deepEqual(
        [pending?.deployment, pending?.nack, pending?.applied?.seq],
        ['pending', undefined, seq],
      );
      clock.jump(1_000);
      await repository.saveReport(id, report(applied(next)));
      const sinceMs = clock.now();
      clock.jump(30_000);
      await repository.saveReport(id, report(applied(next)));
      const done = (await state()).of.get(id);
      assert.deepEqual(
        [done?.deployment, done?.nack, done?.applied],
        ['applied', undefined, { epoch: 1, seq: next, appliedAtMs: sinceMs }],
      );
    });

    test('a gateway writes only about itself and only of environments it is granted', async (t) => {
      const stage = await openStage(t, database);
      const { repository, fleets, storage, clock } = stage;
      const { id } = await repository.enrol(request((await makeToken(stage, await makeFleet(stage))).token));
      await repository.saveReport(id, report(applied(1), { ...applied(1), environment: 'beside' }));
      await repository.saveReport('unknown', report(applied(1)));
      await repository.saveEvent({ gateway: 'unknown', kind: 'clone', detail: '', atMs: 1 });
      await repository.saveEvent({ gateway: id, kind: 'clone', detail: 'two\0instances', atMs: clock.now() });
      const [gateway, ...others] = await fleets.gateways('org', { limit: 10 });
      assert.deepEqual(others, []);
      assert.deepEqual(
        gateway?.applied.map(({ environment }) => environment),
        ['env'],
      );
      assert.deepEqual(
        [gateway?.hostname, gateway?.version, gateway?.policies, gateway?.counters],
        ['edge-1', '1.0.1', ['mock'], { requests: 3 }],
      );
      assert.deepEqual(
        (await fleets.events('org', { limit: 10 })).rows.map(({ kind, detail }) => [kind, detail]),
        [['clone', 'twoinstances']],
      );
      await repository.saveDisconnected(id, 'another instance');
      assert.equal((await fleets.gateways('org', { limit: 1 }))[0]?.state, 'connected');
      await repository.saveDisconnected(id, 'instance-1');
      assert.equal((await fleets.gateways('org', { limit: 1 }))[0]?.state, 'silent');
      await repository.saveReport(id, report());
      assert.deepEqual((await fleets.gateways('org', { limit: 1 }))[0]?.applied, [], 'a report is complete');
      assert.deepEqual(await storage.db.selectFrom('gateway_nack').selectAll().execute(), []);
    });

    test('another organization finds nothing of this one and changes nothing of it', async (t) => {
      const stage = await openStage(t, database);
      const { fleets, storage, repository } = stage;
      const fleet = await makeFleet(stage);
      const token = await makeToken(stage, fleet);
      const { id } = await repository.enrol(request(token.token));
      await repository.saveReport(id, report(applied(1)));
      const other = { organization: 'other', actor: 'stranger' };
      const tries = [
        (trx: never) =>
          fleets.update(trx, { ...other, id: fleet.id }, { name: 'x', tags: [], environments: [] }),
        (trx: never) => fleets.delete(trx, { ...other, id: fleet.id }),
        (trx: never) => fleets.revokeGateway(trx, { organization: 'other', id }),
        (trx: never) => fleets.revokeToken(trx, 'other', { fleet: fleet.id, id: token.id }),
        (trx: never) =>
          fleets.createToken(trx, 'other', {
            fleet: fleet.id,
            bridge: 'https://x.example',
            expiresAtMs: Infinity,
            actor: '',
          }),
      ];
      for (const attempt of tries)
        await assert.rejects(
          storage.transaction((trx) => attempt(trx as never) as Promise<unknown>),
          { code: 'request.not_found' },
        );
      assert.equal(await fleets.get('other', fleet.id), undefined);
      assert.deepEqual(await fleets.list('other', { limit: 10 }), []);
      assert.deepEqual(await fleets.tokens('other', fleet.id), []);
      assert.deepEqual(await fleets.gateways('other', { limit: 10 }), []);
      const at = { organization: 'other', environment: 'env' };
      const state = await fleets.deploymentState(at, { kind: 'gateway-settings', id: fleet.id });
      assert.deepEqual(state, { published: undefined, gateways: [] });
      assert.equal((await repository.gateway(id))?.isRevoked, false);
    });
  });
}
