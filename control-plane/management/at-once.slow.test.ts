import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  apiBody,
  environment,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../test/kit/control-plane/office.ts';
import { Random } from '../../test/kit/random.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { verifyAudit } from './audit/verify.ts';

/** `ISTHMUS_SEED` repeats what is drawn; in which order the clients come through is the machine's to say. */
const seed = Number(process.env['ISTHMUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const clients = 16;
const operations = 1_000;
/** Few, so that clients meet. */
const paths = ['/a', '/b', '/b/c', '/d', '/e', '/f', '/g', '/h'];

interface Of {
  readonly api: string;
  readonly id: string;
}

/** What the clients know of what there is, some of it gone meanwhile. */
class World {
  readonly apis: string[] = [];
  readonly plans: Of[] = [];
  readonly applications: string[] = [];
  readonly subscriptions: Of[] = [];
  /** How often each API was counted up, as its clients were told. */
  readonly counted = new Map<string, number>();
  /** How many answers said that something was made, by the event that tells of it. */
  readonly made = new Map<string, number>();
  readonly statuses = new Map<number, number>();
}

/** One of those who change the world: through the door of his control plane, by his own dice. */
interface Client {
  readonly world: World;
  readonly random: Random;
  readonly call: Office['call'];
}

type Move = (client: Client) => Promise<Answer | undefined>;

const pick = <T>({ random }: Client, of: readonly T[]): T | undefined =>
  of[random.below(Math.max(1, of.length))];

/** Makes something and keeps its id. */
async function make(
  client: Client,
  of: { path: string; body: object; event: string },
  kept: (id: string) => void,
) {
  const answer = await client.call('POST', of.path, { body: of.body });
  if (answer.status !== 201) return answer;
  client.world.made.set(of.event, (client.world.made.get(of.event) ?? 0) + 1);
  kept(String(answer.body['id']));
  return answer;
}

/** A move that posts to what one of some is. */
const post =
  (of: (world: World) => readonly string[], verbs: readonly string[]): Move =>
  (client) => {
    const place = pick(client, of(client.world));
    return place === undefined
      ? Promise.resolve(undefined)
      : client.call('POST', `${place}/${pick(client, verbs) ?? ''}`);
  };

const apis = ({ apis: ids }: World): readonly string[] => ids.map((id) => `${environment}/apis/${id}`);
const plans = ({ plans: all }: World): readonly string[] =>
  all.map(({ api, id }) => `${environment}/apis/${api}/plans/${id}`);
const subscriptions = ({ subscriptions: all }: World): readonly string[] =>
  all.map(({ api, id }) => `${environment}/apis/${api}/subscriptions/${id}`);

const makesApi: Move = (client) =>
  make(
    client,
    { path: `${environment}/apis`, body: apiBody(pick(client, paths) ?? ''), event: 'API_CREATED' },
    (id) => client.world.apis.push(id),
  );

const makesPlan: Move = async (client) => {
  const api = pick(client, client.world.apis);
  if (api === undefined) return undefined;
  const security = client.random.chance(75) ? 'API_KEY' : 'KEY_LESS';
  const validation = client.random.chance(75) ? 'AUTO' : 'MANUAL';
  const path = `${environment}/apis/${api}/plans`;
  return make(client, { path, body: planBody(security, { validation }), event: 'PLAN_CREATED' }, (id) =>
    client.world.plans.push({ api, id }),
  );
};

const makesApplication: Move = (client) =>
  make(
    client,
    {
      path: `${v1}/applications`,
      body: { name: `shop ${client.random.below(1e9)}`, description: '' },
      event: 'APPLICATION_CREATED',
    },
    (id) => client.world.applications.push(id),
  );

const subscribes: Move = async (client) => {
  const plan = pick(client, client.world.plans);
  const applicationId = pick(client, client.world.applications);
  if (plan === undefined || applicationId === undefined) return undefined;
  const path = `${environment}/apis/${plan.api}/subscriptions`;
  return make(
    client,
    { path, body: { planId: plan.id, applicationId }, event: 'SUBSCRIPTION_CREATED' },
    (id) => client.world.subscriptions.push({ api: plan.api, id }),
  );
};

/** Reads how far an API is counted and writes one more, where it is what was read. */
const countsUp: Move = async (client) => {
  const api = pick(client, client.world.apis);
  if (api === undefined) return undefined;
  const path = `${environment}/apis/${api}`;
  const read = await client.call('GET', path);
  const etag = read.headers.get('etag');
  if (read.status !== 200 || etag === null) return read;
  const description = String(Number(read.body['description'] ?? '0') + 1);
  const written = await client.call('PUT', path, {
    body: { ...read.body, description },
    headers: { 'if-match': etag },
  });
  if (written.status === 200) client.world.counted.set(api, (client.world.counted.get(api) ?? 0) + 1);
  return written;
};

const changesKeys: Move = async (client) => {
  const place = pick(client, subscriptions(client.world));
  if (place === undefined) return undefined;
  if (client.random.chance(40)) return client.call('POST', `${place}/api-keys/_renew`);
  const { body } = await client.call('GET', `${place}/api-keys`);
  const key = pick(client, (body['data'] ?? []) as readonly { readonly id: string }[]);
  const verb = client.random.chance(60) ? '_revoke' : '_reactivate';
  return key === undefined ? undefined : client.call('POST', `${place}/api-keys/${key.id}/${verb}`);
};

const removes: Move = (client) => {
  const { world, random } = client;
  const what = random.below(4);
  const place =
    what === 0
      ? pick(client, apis(world))
      : what === 1
        ? pick(client, plans(world))
        : `${v1}/applications/${pick(client, world.applications) ?? 'none'}`;
  return place === undefined ? Promise.resolve(undefined) : client.call('DELETE', place);
};

/** Each as often as it stands here. */
const moves: readonly Move[] = [
  makesApi,
  makesApi,
  makesPlan,
  makesPlan,
  makesApplication,
  subscribes,
  subscribes,
  subscribes,
  subscribes,
  subscribes,
  subscribes,
  countsUp,
  countsUp,
  countsUp,
  changesKeys,
  changesKeys,
  removes,
  post(apis, ['_start', '_start', '_stop', 'deployments']),
  post(apis, ['_start', 'deployments']),
  post(plans, ['_publish']),
  post(plans, ['_publish']),
  post(plans, ['_publish', '_publish', '_deprecate', '_close']),
  post(subscriptions, ['_accept', '_reject', '_close', '_pause', '_resume']),
  post(subscriptions, ['_accept', '_pause', '_resume']),
];

async function play(client: Client, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const answer = await moves[client.random.below(moves.length)]?.(client);
    if (answer === undefined) continue;
    client.world.statuses.set(answer.status, (client.world.statuses.get(answer.status) ?? 0) + 1);
    assert.ok(
      [200, 201, 202, 204, 400, 404, 409, 412].includes(answer.status),
      `${answer.status} ${answer.text}`,
    );
  }
}

type Row = Readonly<Record<string, unknown>>;
const textOf = (value: unknown): string => String(value);

/** Everything of a kind that the management API has. */
async function listed(office: Office, path: string): Promise<readonly Row[]> {
  const { body } = await office.call('GET', `${path}${path.includes('?') ? '&' : '?'}perPage=100`);
  const { totalCount } = body['pagination'] as { readonly totalCount: number };
  const data = body['data'] as readonly Row[];
  assert.equal(data.length, totalCount, 'one page');
  return data;
}

/** An API with its plans and subscriptions, as the management API tells of them. */
async function told(office: Office, api: Row) {
  const base = `${environment}/apis/${textOf(api['id'])}`;
  const all = 'STAGING,PUBLISHED,DEPRECATED,CLOSED';
  const every = 'PENDING,ACCEPTED,REJECTED,PAUSED,CLOSED,RESUMED';
  const found = await listed(office, `${base}/subscriptions?statuses=${every}`);
  const keys = new Map<string, readonly Row[]>();
  for (const { id } of found)
    keys.set(textOf(id), await listed(office, `${base}/subscriptions/${textOf(id)}/api-keys`));
  return { api, plans: await listed(office, `${base}/plans?statuses=${all}`), subscriptions: found, keys };
}

type Told = Awaited<ReturnType<typeof told>>;

function assertLifecycles({ plans: all, subscriptions: found, keys }: Told): void {
  const plansById = new Map(all.map((plan) => [textOf(plan['id']), plan]));
  for (const { id, status, plan: ref } of found) {
    const plan = plansById.get(textOf((ref as Row)['id']));
    assert.ok(plan !== undefined, 'a subscription has its plan');
    assert.notEqual((plan['security'] as Row)['type'], 'KEY_LESS', 'nobody subscribes to what is open');
    if (plan['status'] === 'CLOSED')
      assert.ok(
        ['CLOSED', 'REJECTED'].includes(textOf(status)),
        `a closed plan has a subscription that is ${textOf(status)}`,
      );
    if (status === 'ACCEPTED' || status === 'PAUSED') continue;
    for (const key of keys.get(textOf(id)) ?? [])
      assert.ok(
        key['revoked'] === true || key['expired'] === true,
        `a key of what is ${textOf(status)} is in force`,
      );
  }
}

/** What gateways get is what the management API says; of an API that was never deployed they know nothing. */
async function assertPublished(office: Office, all: readonly Told[]): Promise<void> {
  const world = all.filter(({ api }) => api['deployedAt'] !== undefined);
  const served = world.filter(({ api }) => api['state'] === 'STARTED').map(({ api }) => textOf(api['id']));
  assert.deepEqual((await office.published('api')).map(({ id }) => id).toSorted(), served.toSorted());
  const open = world.flatMap(({ subscriptions: found }) =>
    found.filter(({ status }) => status === 'ACCEPTED' || status === 'PAUSED'),
  );
  const published = (await office.published('subscription')).filter(({ payload }) =>
    ['ACCEPTED', 'PAUSED'].includes(textOf(payload['status'])),
  );
  assert.deepEqual(
    published.map(({ id, payload }) => `${id} ${textOf(payload['status'])}`).toSorted(),
    open.map(({ id, status }) => `${textOf(id)} ${textOf(status)}`).toSorted(),
  );
  const inForce = world.flatMap(({ keys }) =>
    [...keys.values()].flat().filter((key) => key['revoked'] !== true && key['expired'] !== true),
  );
  assert.deepEqual(
    (await office.published('api-key'))
      .filter(({ payload }) => payload['isRevoked'] !== true)
      .map(({ id }) => id)
      .toSorted(),
    inForce.map(({ id }) => textOf(id)).toSorted(),
  );
}

for (const database of testDatabases) {
  test(
    `${operations} changes by ${clients} clients of two control planes at once: no path twice, no update lost, lifecycles, audit and gateways' view hold (${database.name})`,
    { skip: database.skip },
    async (t) => {
      t.diagnostic(`ISTHMUS_SEED=${seed}`);
      const office = await openOffice(t, database);
      // A database in a file belongs to one process: its clients come through one door.
      const second = database.name === 'sqlite' ? office.call : await office.openSecond();
      const world = new World();
      await Promise.all(
        Array.from({ length: clients }, (_, at) =>
          play(
            { world, random: new Random(seed, at), call: at % 2 === 0 ? office.call : second },
            Math.ceil(operations / clients),
          ),
        ),
      );
      t.diagnostic(JSON.stringify(Object.fromEntries([...world.statuses].toSorted(([a], [b]) => a - b))));
      t.diagnostic(JSON.stringify(Object.fromEntries(world.made)));

      const found = await Promise.all(
        (await listed(office, `${environment}/apis`)).map((api) => told(office, api)),
      );
      const taken = found.flatMap(({ api }) =>
        (api['listeners'] as { paths: { path: string }[] }[]).flatMap((listener) =>
          listener.paths.map(({ path }) => path),
        ),
      );
      assert.deepEqual(taken.toSorted(), [...new Set(taken)].toSorted(), 'no path twice');
      for (const { api } of found)
        assert.equal(
          Number(api['description'] ?? 0),
          world.counted.get(textOf(api['id'])) ?? 0,
          'no update lost',
        );
      for (const one of found) assertLifecycles(one);
      await assertPublished(office, found);

      const audit = await verifyAudit(office.storage.db, office.at.organization);
      assert.deepEqual(audit.faults, []);
      for (const [event, count] of world.made) {
        const { body } = await office.call('GET', `${v1}/audit?event=${event}&size=1`);
        assert.equal(body['totalElements'], count, event);
      }
      assert.ok((world.made.get('SUBSCRIPTION_CREATED') ?? 0) > 3, 'clients came far');
    },
  );
}
