import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { makeWords } from '../../test/kit/control-plane/words.ts';
import { bodyCases, invalid, post, type Case } from './bad-bodies.test.ts';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  password,
  planBody,
  v1,
  type Office,
} from '../../test/kit/control-plane/office.ts';

interface Made {
  readonly api: string;
  readonly plan: string;
  readonly keyless: string;
  readonly application: string;
  readonly subscription: string;
  readonly key: string;
  readonly fleet: string;
}

const missing = '00000000-0000-4000-8000-000000000000';
const apis = `${environment}/apis`;
const fleets = '/management/v2/organizations/DEFAULT/fleets';
const user = '/management/organizations/DEFAULT/user';

function pathCases(made: Made): readonly Case[] {
  const get = (name: string, path: string, rest: object): Case =>
    ({ name, method: 'GET', path, ...rest }) as Case;
  const notFound = { status: 404, code: 'request.not_found' };
  return [
    get('an unknown path', '/management/v2/nowhere', notFound),
    get('an unknown API', `${apis}/${missing}`, notFound),
    get('an id with blanks', `${apis}/a%20b`, { ...invalid, location: 'apiId' }),
    get('an id with NUL', `${apis}/a%00b`, { ...invalid, location: 'apiId' }),
    get('broken escapes', `${apis}/%zz`, { ...invalid, location: 'apiId' }),
    get('an unknown environment', '/management/v2/environments/NOWHERE/apis', notFound),
    get('NUL as environment', '/management/v2/environments/%00/apis', notFound),
    get('an unknown organization', '/management/v2/organizations/NOWHERE/environments/DEFAULT/apis', {
      status: 401,
      code: 'request.unauthorized',
    }),
    get('an unknown plan', `${apis}/${made.api}/plans/${missing}`, notFound),
    get('an unknown subscription', `${apis}/${made.api}/subscriptions/${missing}`, notFound),
    get('an unknown application', `${v1}/applications/${missing}`, notFound),
    get('an unknown fleet', `${fleets}/${missing}`, notFound),
    get('page 0', `${apis}?page=0`, { ...invalid, location: 'page' }),
    get('page -1', `${apis}?page=-1`, { ...invalid, location: 'page' }),
    get('page 1e3', `${apis}?page=1e3`, { ...invalid, location: 'page' }),
    get('perPage 0', `${apis}?perPage=0`, { ...invalid, location: 'perPage' }),
    get('page twice', `${apis}?page=1&page=2`, { ...invalid, location: 'page' }),
    get('an unknown sort', `${apis}?sortBy=color`, { ...invalid, location: 'sortBy' }),
    get('an unknown status', `${apis}/${made.api}/plans?statuses=OPEN`, invalid),
    get('from after to', `${apis}/${made.api}/analytics/requests-count?from=5&to=4`, {
      ...invalid,
      location: 'from',
    }),
    get('no analytics here', `${apis}/${made.api}/analytics/requests-count`, {
      status: 503,
      code: 'analytics.unavailable',
    }),
    {
      name: 'a method that is not there',
      method: 'PATCH',
      path: apis,
      status: 405,
      code: 'request.method_not_allowed',
    },
    {
      name: 'no deployment yet',
      method: 'GET',
      path: `${apis}/${made.keyless}/deployments/current`,
      ...notFound,
    } as Case,
  ];
}

function operationCases(made: Made): readonly Case[] {
  const api = `${apis}/${made.api}`;
  const keys = `${api}/subscriptions/${made.subscription}/api-keys`;
  const refused = { status: 400 };
  const subscribe = (body: object, rest: object): Case =>
    post(
      `${api}/subscriptions`,
      { body: { planId: made.plan, applicationId: made.application, ...body } },
      rest,
    );
  return [
    post(`${api}/_start`, undefined, { name: 'start what is started', ...refused, code: 'api.wrong_state' }),
    post(`${apis}/${made.keyless}/_start`, undefined, {
      name: 'start what has no published plan',
      ...refused,
      code: 'api.not_deployable',
    }),
    post(`${apis}/${made.keyless}/_stop`, undefined, {
      name: 'stop what is stopped',
      ...refused,
      code: 'api.wrong_state',
    }),
    { name: 'delete what is started', method: 'DELETE', path: api, status: 400, code: 'api.running' },
    {
      name: 'a stale ETag',
      method: 'PUT',
      path: api,
      wish: { body: apiBody('/taken'), headers: { 'if-match': '"1"' } },
      status: 412,
      code: 'request.precondition_failed',
    },
    {
      name: 'another type',
      method: 'PUT',
      path: api,
      wish: { body: { ...apiBody('/taken'), type: 'MESSAGE' } },
      ...invalid,
      location: 'type',
    },
    post(`${apis}/${made.keyless}/deployments`, undefined, {
      name: 'deploy without a plan',
      ...refused,
      code: 'api.not_deployable',
    }),
    post(
      `${api}/deployments`,
      { body: { deploymentLabel: 'x'.repeat(33) } },
      { name: 'a label too long', ...invalid, location: 'deploymentLabel' },
    ),
    post(
      `${api}/plans`,
      { body: planBody('MAGIC') },
      { name: 'unknown security', ...invalid, location: 'security.type' },
    ),
    post(
      `${api}/plans`,
      { body: { ...planBody('API_KEY'), order: -1 } },
      { name: 'a negative order', ...invalid, location: 'order' },
    ),
    post(`${api}/plans/${made.plan}/_publish`, undefined, {
      name: 'publish what is published',
      ...refused,
      code: 'plan.wrong_status',
    }),
    {
      name: 'delete a published plan',
      method: 'DELETE',
      path: `${api}/plans/${made.plan}`,
      status: 400,
      code: 'plan.wrong_status',
    },
    {
      name: 'another security',
      method: 'PUT',
      path: `${api}/plans/${made.plan}`,
      wish: { body: planBody('KEY_LESS') },
      ...invalid,
      location: 'security.type',
    },
    subscribe({}, { name: 'subscribe twice', ...refused, code: 'plan.subscribed' }),
    subscribe({ planId: missing }, { name: 'no such plan', ...invalid, location: 'planId' }),
    subscribe(
      { applicationId: missing },
      { name: 'no such application', ...invalid, location: 'applicationId' },
    ),
    subscribe({ customApiKey: 'short' }, { name: 'a key too short', ...invalid, location: 'customApiKey' }),
    subscribe(
      { customApiKey: 'with a blank' },
      { name: 'a key with blanks', ...invalid, location: 'customApiKey' },
    ),
    subscribe({ apiKeyMode: 'MANY' }, { name: 'an unknown key mode', ...invalid, location: 'apiKeyMode' }),
    post(`${api}/subscriptions/${made.subscription}/_accept`, undefined, {
      name: 'accept twice',
      ...refused,
      code: 'subscription.processed',
    }),
    post(
      `${keys}/_renew`,
      { body: { customApiKey: made.key } },
      { name: 'a key in use', ...refused, code: 'apiKey.existing', location: 'customApiKey' },
    ),
    post(`${keys}/${missing}/_revoke`, undefined, {
      name: 'an unknown key',
      status: 404,
      code: 'request.not_found',
    }),
    post(
      `${v1}/applications`,
      { body: { name: 'x' } },
      { name: 'an application without description', ...invalid, location: 'description' },
    ),
    post(
      `${v1}/applications`,
      { body: { name: 'x', description: '', type: 'ROBOT' } },
      { name: 'an unknown application type', ...invalid, location: 'type' },
    ),
    post(
      fleets,
      { body: { name: 'f', environments: [missing] } },
      { name: 'a fleet elsewhere', ...invalid, location: 'environments[0]' },
    ),
    post(
      fleets,
      { body: { name: 'f', tags: ['a', '!a'], environments: ['DEFAULT'] } },
      { name: 'tags that contradict', ...invalid },
    ),
    post(
      fleets,
      { body: { name: 'laptop', environments: ['DEFAULT'] } },
      { name: 'a taken fleet name', status: 409, code: 'request.conflict' },
    ),
    post(
      `${fleets}/${made.fleet}/enrolment-tokens`,
      { body: { bridge: 'ftp://x' } },
      { name: 'a bridge that is no URL', ...invalid, location: 'bridge' },
    ),
    post(
      `${fleets}/${made.fleet}/enrolment-tokens`,
      { body: { bridge: 'http://x', expiresAt: '2001-01-01T00:00:00Z' } },
      { name: 'a token of the past', ...invalid, location: 'expiresAt' },
    ),
    post(`${fleets}/${made.fleet}/gateways/${missing}/_revoke`, undefined, {
      name: 'an unknown gateway',
      status: 404,
      code: 'request.not_found',
    }),
    post(
      `${user}/tokens`,
      { body: { name: 'x', expiresAt: 'tomorrow' } },
      { name: 'a date that is none', ...invalid, location: 'expiresAt' },
    ),
    post(
      `${user}/login`,
      { as: null },
      { name: 'login with nothing', status: 401, code: 'request.unauthorized' },
    ),
    post(
      `${user}/login`,
      { as: basic('admin', 'wrong') },
      { name: 'login with a wrong password', status: 401, code: 'request.unauthorized' },
    ),
    post(
      `${user}/login`,
      { as: basic('a\0b', password) },
      { name: 'NUL in a user name', status: 401, code: 'request.unauthorized' },
    ),
    post(
      `${user}/login`,
      { as: 'Basic !!!' },
      { name: 'basic that is no base64', status: 401, code: 'request.unauthorized' },
    ),
    post(
      apis,
      { as: 'Digest x', body: apiBody('/new') },
      { name: 'an unknown scheme', status: 401, code: 'request.unauthorized' },
    ),
    post(
      apis,
      { as: 'Bearer istp_nothing', body: apiBody('/new') },
      { name: 'an unknown token', status: 401, code: 'request.unauthorized' },
    ),
    post(
      apis,
      { as: null, body: apiBody('/new'), headers: { cookie: 'Auth-Graviteeio-APIM=x' } },
      { name: 'an unknown session', status: 401, code: 'request.unauthorized' },
    ),
  ];
}

async function make(office: Office): Promise<Made> {
  const { id: api, planId: plan } = await office.deployedApi('/taken');
  const other = await office.call('POST', apis, { body: apiBody('/other') });
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
  });
  const subscription = await office.call('POST', `${apis}/${api}/subscriptions`, {
    body: { planId: plan, applicationId: application.body['id'] },
  });
  return {
    api,
    plan,
    keyless: String(other.body['id']),
    application: String(application.body['id']),
    subscription: String(subscription.body['id']),
    key: (subscription.body['apiKey'] as { key: string }).key,
    fleet: office.boot.fleet,
  };
}

const tables = [
  'user_account',
  'user_session',
  'personal_token',
  'api',
  'api_path',
  'api_deployment',
  'plan',
  'application',
  'subscription',
  'api_key',
  'audit',
  'fleet',
  'enrolment_token',
  'gateway',
  'published_record',
  'published_latest',
  'environment',
] as const;

async function dump({ storage }: Office): Promise<string> {
  const rows = await Promise.all(
    tables.map(async (table) => [
      table,
      (await storage.db.selectFrom(table).selectAll().execute()).map((row) => JSON.stringify(row)).toSorted(),
    ]),
  );
  return JSON.stringify(rows);
}

for (const database of testDatabases) {
  test(
    `bad input is refused by name, is never our bug, and changes nothing (${database.name})`,
    { skip: database.skip, timeout: 120_000 },
    async (t) => {
      const office = await openOffice(t, database);
      await makeWords(office, { tags: ['a'] });
      const made = await make(office);
      const cases = [...bodyCases(), ...pathCases(made), ...operationCases(made)];
      assert.ok(cases.length >= 80, `${cases.length} cases`);
      const before = await dump(office);
      for (const { name, method, path, wish, status, code, location } of cases) {
        // Wrong passwords are throttled; that has a test of its own.
        await office.clock.advance(60_000);
        const answer = await office.call(method, path, wish);
        const said = `${name}: ${JSON.stringify(answer.body)}`;
        assert.deepEqual([answer.status, answer.body.technicalCode], [status, code], said);
        assert.equal(answer.body['httpStatus'], status, said);
        if (location !== undefined) {
          const details = answer.body['details'] as { location: string; message: string }[];
          assert.ok(
            details.some((detail) => detail.location === location && detail.message !== ''),
            said,
          );
        }
        if (status === 405) assert.equal(answer.headers.get('allow'), 'GET, POST');
      }
      assert.equal(await dump(office), before);
    },
  );

  test(`all wrong fields are named at once (${database.name})`, { skip: database.skip }, async (t) => {
    const office = await openOffice(t, database);
    const answer = await office.call('POST', apis, {
      body: { ...apiBody('/x'), name: '', type: 'X', foo: 1 },
    });
    const locations = (answer.body['details'] as { location: string }[]).map((detail) => detail.location);
    assert.deepEqual(locations.toSorted(), ['foo', 'name', 'type']);
    const messages = JSON.stringify(answer.body['details']);
    assert.match(messages, /MESSAGE.*PROXY/);
    const slip = await office.call('POST', apis, {
      body: { ...apiBody('/x'), descripton: 'x', type: 'PROXI' },
    });
    const said = (slip.body['details'] as { location: string; message: string }[]).map(
      ({ location, message }) => `${location} ${message}`,
    );
    assert.match(said.join('\n'), /^descripton is unknown; did you mean description\?/m);
    assert.match(said.join('\n'), /^type .*did you mean \\?"?PROXY/m);
  });
}
