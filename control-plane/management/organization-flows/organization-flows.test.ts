import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOrganizationFlows } from '../../../proto/definition/shared-flows.ts';
import { decodeOrganizationFlows } from '../../../proto/wire/payloads.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import { type Office, openOffice } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const path = '/management/organizations/DEFAULT';
const latency = (time: number): object => ({ policy: 'latency', configuration: { time } });
const old = (time: number): object => ({
  name: 'all',
  'path-operator': { path: '/', operator: 'STARTS_WITH' },
  methods: ['GET'],
  pre: [latency(time)],
  post: [],
});

/** Writes flows; says what became of it. */
async function write(office: Office, wish: object, headers = {}): Promise<readonly unknown[]> {
  const { status, body } = await office.call('PUT', path, { body: { name: 'One', ...wish }, headers });
  const details = (body['details'] ?? []) as { location?: string; message: string }[];
  return [status, ...details.map(({ location, message }) => `${location}: ${message}`)];
}

/** What gateways of an environment have: the revision, and the definition as they read it; nothing when nothing is in force. */
async function atGateways(
  office: Office,
  environment = office.at.environment,
  organization = office.at.organization,
): Promise<readonly unknown[]> {
  const at = { organization, environment };
  const { headers } = await office.repository.headersAfter(at, 0, 1_000);
  const wanted = headers.filter(({ kind, isDeleted }) => kind === 'organization-flows' && !isDeleted);
  return (await office.repository.payloads(at, wanted)).flatMap(({ header, bytes }) => {
    const { payload, revision } = decodeRecord(bytes);
    const { id, definition } = decodeOrganizationFlows(payload);
    assert.deepEqual([header.id, id, header.tags], [organization, organization, []]);
    return [revision, readOrganizationFlows(JSON.parse(definition))];
  });
}

const addEnvironment = (office: Office, id: string, organization = office.at.organization): Promise<void> =>
  office.storage.transaction((trx) =>
    office.desk.publisher.ensureEnvironment(trx, organization, { id, name: id }),
  );

for (const database of testDatabases) {
  const named = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    named('flows reach every environment of the organization, one that is made later too, and no other'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      await office.storage.transaction((trx) =>
        office.desk.publisher.ensureOrganization(trx, { id: 'other', name: 'Other' }),
      );
      await addEnvironment(office, 'other-env', 'other');
      await addEnvironment(office, 'second');
      const configuration = async (): Promise<unknown> =>
        (await office.call('GET', `${path}/configuration/flows`)).body;
      assert.deepEqual([await atGateways(office), await configuration()], [[], { has_policies: false }]);
      const heard: string[] = [];
      t.after(office.repository.onPublished((environment) => heard.push(environment)));
      const wish = { flowMode: 'BEST_MATCH', flows: [old(1)] };
      assert.deepEqual(await write(office, wish), [204]);
      assert.deepEqual(await configuration(), { has_policies: true });
      const expected = ['1', readOrganizationFlows(wish)];
      await addEnvironment(office, 'third');
      for (const environment of [office.at.environment, 'second', 'third'])
        assert.deepEqual(await atGateways(office, environment), expected, environment);
      assert.deepEqual(await atGateways(office, 'other-env', 'other'), []);
      // The same again, with another name: nothing that gateways would have to learn.
      assert.deepEqual(await write(office, { ...wish, name: 'Two', description: 'renamed' }), [204]);
      assert.deepEqual(await atGateways(office, 'second'), expected);
      const { body } = await office.call('GET', path);
      assert.partialDeepStrictEqual(body, {
        ...wish,
        name: 'Two',
        description: 'renamed',
        matchRequired: false,
      });
      // All that match nothing is something in force; nothing at all is not.
      assert.deepEqual(await write(office, { matchRequired: true }), [204]);
      assert.deepEqual(await atGateways(office, 'third'), [
        '2',
        { flowMode: 'default', matchRequired: true, flows: [] },
      ]);
      assert.deepEqual(await write(office, {}), [204]);
      await addEnvironment(office, 'fourth');
      for (const environment of [office.at.environment, 'second', 'third', 'fourth'])
        assert.deepEqual(await atGateways(office, environment), [], environment);
      assert.deepEqual(
        (await office.repository.headersAfter({ ...office.at, environment: 'fourth' }, 0, 9)).headers,
        [],
      );
      const audit = await office.storage.db
        .selectFrom('audit')
        .selectAll()
        .where('event', '=', 'ORGANIZATION_FLOWS_UPDATED')
        .execute();
      assert.deepEqual(
        audit.map((row) => [row.organization, row.reference_type, row.reference_id, row.user_id]),
        Array.from({ length: 4 }, () => [
          office.at.organization,
          'ORGANIZATION',
          office.at.organization,
          office.boot.admin.id,
        ]),
      );
    },
  );

  test(
    named('what gateways cannot run is refused with its place, and nothing of it is kept'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const kept = { flows: [{ name: 'kept', request: [latency(1)] }] };
      assert.deepEqual(await write(office, kept), [204]);
      const before = [(await office.call('GET', path)).body, await atGateways(office)];
      for (const [wish, expected] of [
        [
          { flows: [{ pre: [{ policy: 'nothing', configuration: {} }] }] },
          /^flows\[0\]\.pre\[0\]\.policy: "nothing"/,
        ],
        [
          { flows: [old(1), { post: [{ policy: 'latency' }] }] },
          /^flows\[1\]\.post\[0\]\.configuration: is missing/,
        ],
        [{ flows: [{ request: [latency(-1)] }] }, /^flows\[0\]\.request\[0\]\.configuration\.time: /],
        [
          {
            flows: [
              { name: 'x' },
              {
                response: [
                  { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'a' } },
                ],
              },
            ],
          },
          /^flows\[1\]\.response\[0\]\.policy: is a shared policy group/,
        ],
        [{ flows: [{ reqest: [] }] }, /^flows\[0\]\.reqest: /],
        [{ flows: ['all'] }, /^flows\[0\]: /],
        [{ flowMode: 'ALL' }, /^flowMode: /],
        [{ flow: [] }, /^flow: /],
        [{ name: '' }, /^name: /],
      ] as const) {
        const [status, ...details] = await write(office, wish);
        assert.equal(status, 400, JSON.stringify(wish));
        assert.match(details.join('\n'), expected);
      }
      assert.deepEqual([(await office.call('GET', path)).body, await atGateways(office)], before);
    },
  );

  test(
    named(
      'of two who write at once over the same version one is told, and an environment that is made meanwhile has the last',
    ),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const etag = (await office.call('GET', path)).headers.get('etag') ?? '';
      const both = await Promise.all(
        [1, 2].map((time) => write(office, { flows: [old(time)] }, { 'if-match': etag })),
      );
      assert.deepEqual(both.map(([status]) => String(status)).toSorted(), ['204', '412']);
      for (let round = 3; round < 8; round += 1) {
        const environment = `made-${round}`;
        await Promise.all([addEnvironment(office, environment), write(office, { flows: [old(round)] })]);
        const expected = readOrganizationFlows({ flows: [old(round)] });
        for (const each of [office.at.environment, environment])
          assert.deepEqual((await atGateways(office, each))[1], expected, `${each} in round ${round}`);
      }
    },
  );
}
