import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import {
  apiBody,
  basic,
  environment,
  type Office,
  openOffice,
  planBody,
} from '../../../test/kit/control-plane/office.ts';
import { makeWords } from '../../../test/kit/control-plane/words.ts';

const search = `${environment}/apis/_search`;

/** Three APIs that differ in everything that a search asks for. */
async function three(office: Office): Promise<readonly string[]> {
  const categories = ['sales', 'open', 'nature'];
  await makeWords(office, { tags: ['internal', 'external'], categories });
  const kinds = [
    apiBody('/orders', {
      name: 'Orders',
      description: 'Buys 100% of it_all',
      tags: ['internal'],
      labels: ['Shop'],
      categories: ['sales'],
      visibility: 'PUBLIC',
      allowedInApiProducts: true,
    }),
    apiBody('/weather', { name: 'Weather', tags: ['external', 'internal'], categories: ['open', 'nature'] }),
    apiBody('/zebra', {
      name: 'Animals',
      type: 'MESSAGE',
      listeners: [
        {
          type: 'HTTP',
          paths: [{ host: 'Zoo.example', path: '/a' }],
          entrypoints: [{ type: 'http-proxy' }],
        },
      ],
    }),
  ];
  const ids: string[] = [];
  for (const body of kinds) {
    const made = await office.call('POST', `${environment}/apis`, { body });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    ids.push(String(made.body['id']));
  }
  return ids;
}

function names(body: Readonly<Record<string, unknown>>): readonly string[] {
  return (body['data'] as readonly { readonly name: string }[]).map(({ name }) => name);
}

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(`a search finds by every filter of the reference (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const [orders = '', weather = ''] = await three(office);
    const all = ['Animals', 'Orders', 'Weather'];
    const rows: readonly (readonly [body: object, found: readonly string[]])[] = [
      [{}, all],
      [{ ids: [], statuses: [], tags: [], published: [] }, all],
      [{ query: 'ORD' }, ['Orders']],
      [{ query: 'shop buys' }, ['Orders']],
      [{ query: 'shop weather' }, []],
      [{ query: '0% of it_' }, ['Orders']],
      [{ query: '0_' }, []],
      [{ query: 'zoo.EXAMPLE' }, ['Animals']],
      [{ query: '/weather' }, ['Weather']],
      [{ query: 'external' }, ['Weather']],
      [{ query: weather }, ['Weather']],
      [{ ids: [orders, weather] }, ['Orders', 'Weather']],
      [{ definitionVersion: 'V4' }, all],
      [{ definitionVersion: 'V2' }, []],
      [{ definitionVersions: ['V2', 'V4'] }, all],
      [{ definitionVersions: ['FEDERATED'] }, []],
      [{ apiTypes: ['MESSAGE'] }, ['Animals']],
      [{ apiTypes: ['V2_PROXY'] }, []],
      [{ statuses: ['STOPPED'] }, all],
      [{ statuses: ['STARTED'] }, []],
      [{ tags: ['external'] }, ['Weather']],
      [{ tags: ['internal'] }, ['Orders', 'Weather']],
      [{ tags: ['intern'] }, []],
      [{ categories: ['sales', 'open'] }, ['Orders', 'Weather']],
      [{ published: ['CREATED'] }, all],
      [{ published: ['PUBLISHED'] }, []],
      [{ visibilities: ['PUBLIC'] }, ['Orders']],
      [{ allowedInApiProducts: true }, ['Orders']],
      [{ allowedInApiProducts: false }, ['Animals', 'Weather']],
      [{ hasOpenApiDocumentation: true }, []],
      [{ hasOpenApiDocumentation: false }, all],
      [{ tags: ['internal'], visibilities: ['PRIVATE'] }, ['Weather']],
    ];
    for (const [body, found] of rows) {
      const answer = await office.call('POST', `${search}?sortBy=name`, { body });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.deepEqual(names(answer.body), found, JSON.stringify(body));
      const { totalCount } = answer.body['pagination'] as { readonly totalCount: number };
      assert.equal(totalCount, found.length, JSON.stringify(body));
    }
  });

  test(`a search is sorted by every key of the reference (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    const [orders = '', weather = ''] = await three(office);
    const plan = `${environment}/apis/${orders}/plans`;
    const { body: made } = await office.call('POST', plan, { body: planBody('KEY_LESS') });
    await office.call('POST', `${plan}/${String(made['id'])}/_publish`);
    assert.equal((await office.call('POST', `${environment}/apis/${orders}/_start`)).status, 204);
    // Her name is after the administrator's.
    const user = { username: 'Zoe', password: 'a password of twelve', role: 'USER' };
    const { body: zoe } = await office.call('POST', '/management/organizations/DEFAULT/users', {
      body: user,
    });
    const owner = { userId: zoe['id'], userType: 'USER', poRole: 'OWNER' };
    const path = `${environment}/apis/${weather}/_transfer-ownership`;
    assert.equal((await office.call('POST', path, { body: owner })).status, 204);
    await office.call('PUT', `${environment}/apis/${orders}`, {
      body: { ...(await office.call('GET', `${environment}/apis/${orders}`)).body, name: 'Sales' },
    });
    const rows: readonly (readonly [sort: string, found: readonly string[]])[] = [
      ['name', ['Animals', 'Sales', 'Weather']],
      ['-name', ['Weather', 'Sales', 'Animals']],
      ['-api_type', ['Sales', 'Weather', 'Animals']],
      ['api_type', ['Animals', 'Sales', 'Weather']],
      ['paths', ['Animals', 'Sales', 'Weather']],
      ['-paths', ['Weather', 'Sales', 'Animals']],
      ['tags_asc', ['Animals', 'Weather', 'Sales']],
      ['-tags_desc', ['Sales', 'Weather', 'Animals']],
      ['categories_asc', ['Animals', 'Weather', 'Sales']],
      ['-categories_desc', ['Sales', 'Weather', 'Animals']],
      ['visibility', ['Animals', 'Weather', 'Sales']],
      ['-visibility', ['Sales', 'Animals', 'Weather']],
      ['status', ['Sales', 'Animals', 'Weather']],
      ['-status', ['Animals', 'Weather', 'Sales']],
      ['owner', ['Animals', 'Sales', 'Weather']],
      ['-owner', ['Weather', 'Animals', 'Sales']],
    ];
    for (const [sort, expected] of rows) {
      const answer = await office.call('POST', `${search}?sortBy=${sort}`);
      assert.deepEqual(names(answer.body), expected, sort);
    }
  });

  test(`whoever does not ask for all sees what he manages (${database.name})`, options, async (t) => {
    const office = await openOffice(t, database);
    await three(office);
    const user = { username: 'ann', password: 'a password of twelve', role: 'USER' };
    await office.call('POST', '/management/organizations/DEFAULT/users', { body: user });
    const as = basic('ann', user.password);
    assert.deepEqual(names((await office.call('POST', search, { as })).body), []);
    assert.deepEqual(names((await office.call('POST', `${search}?manageOnly=false`, { as })).body), [
      'Orders',
    ]);
    assert.deepEqual(names((await office.call('GET', `${environment}/apis`, { as })).body), ['Orders']);
    assert.deepEqual(
      names((await office.call('GET', `${environment}/apis?manageOnly=true`, { as })).body),
      [],
    );
  });
}
