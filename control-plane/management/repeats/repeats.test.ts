import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  apiBody,
  basic,
  environment,
  type Office,
  openOffice,
  password,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { findUser } from '../../access/access.store.ts';
import { totpCode, totpStepAt } from '../../access/second-factor/totp.ts';
import { resolveOrganization, updateOrganizationRow } from '../tenants/tenants.store.ts';
import { onlyOnce, type Repeatable, repeatsKeptMs, repeatsMax } from './repeats.ts';

const apis = `${environment}/apis`;
const organization = '/management/organizations/DEFAULT';
const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a change under a key is made once, and whoever repeats it gets its answer (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const key = randomUUID();
      const wish = { body: apiBody('/once'), ...keyed(key) };
      const first = await office.call('POST', apis, wish);
      assert.equal(first.status, 201, first.text);
      assert.equal(first.headers.get('idempotent-replayed'), null);
      const again = await office.call('POST', apis, { ...wish, headers: { 'Idempotency-Key': `"${key}"` } });
      assert.deepEqual(
        [again.status, again.text, again.headers.get('etag'), again.headers.get('idempotent-replayed')],
        [201, first.text, first.headers.get('etag'), 'true'],
      );
      const other = await office.call('POST', apis, { body: apiBody('/other'), ...keyed(key) });
      assert.deepEqual([other.status, other.body.technicalCode], [422, 'idempotency.key_reused']);
      const elsewhere = await office.call('POST', `${apis}/${String(first.body['id'])}/_stop`, keyed(key));
      assert.equal(elsewhere.body.technicalCode, 'idempotency.key_reused');
      // Keys of two users are two keys.
      const secret = 'a password of twelve';
      const made = await office.call('POST', `${organization}/users`, {
        body: { username: 'publisher', password: secret },
      });
      assert.equal(made.status, 201, made.text);
      const as = basic('publisher', secret);
      const theirs = await office.call('POST', `${v1}/applications`, {
        as,
        body: { name: 'Shop', description: 'sells' },
        ...keyed(key),
      });
      assert.equal(theirs.status, 201, theirs.text);

      await office.clock.advance(repeatsKeptMs);
      const later = await office.call('POST', apis, wish);
      assert.equal(later.body.technicalCode, 'api.listener.paths.path.exists', later.text);
    },
  );

  test(`what was refused, and what changed nothing, is asked anew (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const key = randomUUID();
    const bad = await office.call('POST', apis, { body: { name: 'no' }, ...keyed(key) });
    assert.equal(bad.status, 400);
    const first = await office.call('POST', apis, { body: apiBody('/taken'), ...keyed(key) });
    assert.equal(first.status, 201, first.text);
    const refused = { body: apiBody('/taken'), ...keyed(randomUUID()) };
    assert.equal((await office.call('POST', apis, refused)).status, 400);
    await office.call('DELETE', `${apis}/${String(first.body['id'])}`);
    assert.equal((await office.call('POST', apis, refused)).status, 201);
    const search = { body: {}, ...keyed(randomUUID()) };
    const found = async () =>
      ((await office.call('POST', `${apis}/_search`, search)).body['pagination'] as { totalCount: number })
        .totalCount;
    assert.equal(await found(), 1);
    await office.call('POST', apis, { body: apiBody('/second') });
    assert.equal(await found(), 2);
    const wrong = await office.call('POST', apis, { body: apiBody('/third'), ...keyed('a key') });
    assert.deepEqual([wrong.status, wrong.body.technicalCode], [400, 'request.invalid']);
  });

  test(
    `of two control planes one carries a request out, and who takes over from one that hangs makes its change fail (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const request = await requestOf(office);
      const hangs = Promise.withResolvers<void>();
      const slow = onlyOnce(request, async (desk) => {
        await hangs.promise;
        return renamed(office, desk, 'slow');
      });
      const refused = assert.rejects(slow, { code: 'idempotency.in_progress' });
      const takeOver = () => onlyOnce(request, (desk) => renamed(office, desk, 'quick'));
      await eventually(
        async () =>
          (await office.storage.db.selectFrom('idempotency_key').select('claim').execute()).length === 1,
      );
      await assert.rejects(takeOver(), { code: 'idempotency.in_progress' });
      await office.clock.advance(60_000);
      assert.deepEqual((await takeOver()).body, { name: 'quick' });
      hangs.resolve();
      await refused;
      assert.equal(await nameOf(office), 'quick');
      assert.deepEqual((await takeOver()).headers, { 'Idempotent-Replayed': 'true' });
    },
  );

  test(
    `who is killed behind the commit has done all of it, and whoever repeats it is told what was made, or that nobody knows (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      for (const isKnown of [true, false]) {
        const request = await requestOf(office, isKnown);
        const killed = onlyOnce(request, async (desk) => {
          await renamed(office, desk, `known ${isKnown}`);
          throw new Error('killed');
        });
        await assert.rejects(killed, /killed/);
        assert.equal(await nameOf(office), `known ${isKnown}`);
        const again = onlyOnce(request, (desk) => renamed(office, desk, 'twice'));
        if (isKnown) assert.deepEqual((await again).body, { name: 'known true' });
        else await assert.rejects(again, { code: 'idempotency.answer_lost' });
        assert.equal(await nameOf(office), `known ${isKnown}`);
      }
      const [row] = await office.storage.db.selectFrom('idempotency_key').selectAll().execute();
      assert.ok(!JSON.stringify(row).includes('known true'), 'answers lie sealed');
    },
  );

  test(
    `what a credential was answered under a key is not told to one that is narrowed otherwise (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const token = async (...scopes: string[]): Promise<string> => {
        const made = await office.call('POST', `${organization}/user/tokens`, {
          body: { name: `one ${scopes.join()}`, ...(scopes.length > 0 && { scopes }) },
        });
        assert.equal(made.status, 201, made.text);
        return `Bearer ${String(made.body['token'])}`;
      };
      const wide = basic('admin', password);
      const creates = 'environment-api:create';
      const narrow = await token(creates);
      const [two, turned] = [
        await token(creates, 'environment-api:read'),
        await token('environment-api:read', creates),
      ];
      const cases = [
        { path: '/wide', first: wide, same: await token(), others: [narrow, two] },
        { path: '/narrow', first: narrow, same: narrow, others: [wide, two] },
        { path: '/two', first: two, same: turned, others: [wide, narrow] },
      ];
      for (const { path, first, same, others } of cases) {
        const wish = { body: apiBody(path), ...keyed(randomUUID()) };
        const made = await office.call('POST', apis, { ...wish, as: first });
        assert.equal(made.status, 201, made.text);
        for (const as of others) {
          const refused = await office.call('POST', apis, { ...wish, as });
          assert.deepEqual([refused.status, refused.body.technicalCode], [422, 'idempotency.key_reused']);
        }
        const again = await office.call('POST', apis, { ...wish, as: same });
        assert.deepEqual([again.status, again.text], [201, made.text]);
      }
    },
  );

  test(
    `a wrong code under a key is refused as often as it is sent, and a right one counts once (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const user = `${organization}/user`;
      const login = await office.call('POST', `${user}/login`);
      const as = `Bearer ${String(login.body['token'])}`;
      const proof = { currentPassword: password };
      const enrolled = await office.call('POST', `${user}/secondFactor/_enrol`, { as, body: proof });
      const code = (): string => totpCode(String(enrolled.body['secret']), totpStepAt(office.clock.now()));
      const send = (path: string, wish: { readonly body: object; readonly key: string }) =>
        office.call('POST', `${user}/secondFactor/${path}`, { as, body: wish.body, ...keyed(wish.key) });
      const key = randomUUID();
      for (let sent = 0; sent < 2; sent += 1) {
        const refused = await send('_confirm', { body: { code: '000000' }, key });
        assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'request.invalid']);
      }
      const confirm = { body: { code: code() }, key };
      const first = await send('_confirm', confirm);
      assert.equal(first.status, 200, first.text);
      const again = await send('_confirm', confirm);
      assert.deepEqual(
        [again.status, again.text, again.headers.get('idempotent-replayed')],
        [200, first.text, 'true'],
      );
      await office.clock.advance(30_000);
      for (let sent = 0; sent < 2; sent += 1) {
        const refused = await send('_disable', { body: { ...proof, code: '000000' }, key: 'wrong' });
        assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'request.invalid']);
      }
      const state = async () => (await office.call('GET', `${user}/secondFactor`, { as })).body['enabled'];
      assert.equal(await state(), true);
      const disable = { body: { ...proof, code: code() }, key: 'right' };
      assert.deepEqual([(await send('_disable', disable)).status, await state()], [204, false]);
      assert.equal((await send('_disable', disable)).status, 204);
    },
  );

  test(`a user has a bounded number of keys (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const request = await requestOf(office);
    const row = {
      organization: office.at.organization,
      user_id: request.actor.id,
      request_hash: '',
      claim: '',
    };
    const ends = { claimed_until_ms: 0, is_done: 1, answer: null, expires_at_ms: office.clock.now() + 1 };
    for (let at = 0; at < repeatsMax; at += 500) {
      const rows = Array.from({ length: 500 }, (_, n) => ({ ...row, ...ends, key_hash: `${at + n}` }));
      await office.storage.db.insertInto('idempotency_key').values(rows).execute();
    }
    const once = () => onlyOnce(request, (desk) => renamed(office, desk, 'bounded'));
    await assert.rejects(once(), { code: 'idempotency.too_many' });
    await office.clock.advance(1);
    assert.equal((await once()).status, 200);
  });
}

/** A request that renames the organization. */
async function requestOf({ desk, at }: Office, isKnown = true): Promise<Repeatable> {
  const admin = await findUser(desk.storage.db, at.organization, 'admin');
  assert.ok(admin !== undefined);
  const actor = {
    id: admin.id,
    organization: at.organization,
    username: 'admin',
    displayName: '',
    roles: [],
  };
  const answerOf = (made: unknown) => (isKnown ? answerWith(made) : undefined);
  return { desk, actor, key: randomUUID(), method: 'post', url: 'http://office/x?y=z', body: {}, answerOf };
}

const answerWith = (body: unknown) => ({ status: 200, body, version: undefined }) as const;

async function renamed({ at }: Office, desk: Repeatable['desk'], name: string) {
  return answerWith(
    await desk.storage.transaction(async (trx) => {
      await updateOrganizationRow(trx, at.organization, { name });
      return { name };
    }),
  );
}

const nameOf = async ({ storage, at }: Office): Promise<string | undefined> =>
  (await resolveOrganization(storage.db, at.organization))?.name;
