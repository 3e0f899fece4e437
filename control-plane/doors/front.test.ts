import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { createLog } from '../../proto/process/log.ts';
import { createPeers } from '../../proto/process/peers.ts';
import { apiBody, basic, environment, openOffice, password } from '../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { createManagementDoor } from './management.ts';

const user = '/management/organizations/DEFAULT/user';
const publicUrl = 'https://manage.example/apim';
const [database = assert.fail('a database')] = testDatabases;

test('what a browser adds by itself opens nothing for a page of another site, whatever the method', async (t) => {
  const office = await openOffice(t, database, { publicUrl });
  const login = await office.call('POST', `${user}/login`);
  const cookie = /__Host-Auth-Graviteeio-APIM=[^;]+/.exec(login.headers.getSetCookie().join('; '))?.[0] ?? '';
  const csrf = String(login.headers.get('x-xsrf-token'));
  const kept = { basic: basic('admin', password), cookie: null } as const;
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'nonsense' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://manage.example.evil.example' },
  ];
  const own: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin', origin: 'https://manage.example' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://manage.example' },
    { origin: 'http://office' },
  ];
  const calls = [
    ['GET', user],
    ['POST', `${user}/login`],
    ['POST', `${environment}/apis`],
    ['POST', `${user}/logout`],
  ] as const;
  for (const [name, as] of Object.entries(kept))
    for (const headers of foreign)
      for (const [method, path] of calls) {
        // Whoever sends no credential of the browser's has nothing to lose by a logout.
        if (name === 'basic' && path.endsWith('logout')) continue;
        const sent = { ...headers, ...(as === null && { cookie, 'x-xsrf-token': csrf }) };
        const answer = await office.call(method, path, {
          as,
          headers: sent,
          ...(path.endsWith('apis') && { body: apiBody('/x') }),
        });
        const label = `${name} ${method} ${path} ${JSON.stringify(headers)}`;
        assert.deepEqual([answer.status, answer.body.technicalCode], [403, 'csrf.cross_site'], label);
      }
  for (const [index, headers] of own.entries()) {
    const by = (as: string | null, more: object) =>
      office.call('POST', `${environment}/apis`, {
        as,
        headers: { ...headers, ...more },
        body: apiBody(`/own-${index}-${as === null ? 'cookie' : 'basic'}`),
      });
    assert.equal((await by(kept.basic, {})).status, 201, JSON.stringify(headers));
    assert.equal((await by(null, { cookie, 'x-xsrf-token': csrf })).status, 201, JSON.stringify(headers));
  }
  // A bearer token is added by a page that knows it; and nothing says whether a wrong password was wrong.
  const token = String(login.body['token']);
  const [cross = {}] = foreign;
  assert.equal((await office.call('GET', user, { as: `Bearer ${token}`, headers: cross })).status, 200);
  const guess = await office.call('GET', user, { as: basic('admin', 'wrong'), headers: cross });
  assert.equal(guess.status, 403);
});

test('publicUrl decides whether cookies are Secure and what links begin with', async (t) => {
  const office = await openOffice(t, database, { publicUrl });
  const login = await office.call('POST', `${user}/login`);
  const [session = '', csrf = ''] = login.headers.getSetCookie();
  assert.match(
    session,
    /^__Host-Auth-Graviteeio-APIM=ists_[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  assert.match(csrf, /^XSRF-TOKEN=[^;]+; Max-Age=\d+; Path=\/; Secure; SameSite=Strict$/);
  // A cookie that another site of the domain could have planted is none.
  const planted = session.replace(/^__Host-([^;]+);.*$/, '$1');
  assert.equal((await office.call('GET', user, { as: null, headers: { cookie: planted } })).status, 401);
  const page = await office.call('GET', `${environment}/apis?page=1&perPage=1`);
  assert.deepEqual(page.body['links'], {
    self: `https://manage.example/apim${environment}/apis?page=1&perPage=1`,
  });
  const gone = await office.call('POST', `${user}/logout`, {
    as: null,
    headers: { cookie: session.replace(/;.*$/, '') },
  });
  assert.match(
    gone.headers.getSetCookie()[0] ?? '',
    /^__Host-Auth-Graviteeio-APIM=; Max-Age=0; Path=\/; Secure/,
  );
});

test('without publicUrl a believed proxy says whether TLS was spoken, and nobody else', async (t) => {
  const office = await openOffice(t, database);
  const door = createManagementDoor({
    desk: office.desk,
    log: createLog({ name: 'test', level: 'silent' }),
    peers: createPeers(['10.0.0.1']),
    publicUrl: undefined,
    bodyMsMax: 30_000,
  });
  const isSecureFrom = async (remoteAddress: string): Promise<boolean> => {
    const headers = { authorization: basic('admin', password), 'x-forwarded-proto': 'https' };
    const incoming = Object.assign(Readable.from([]), { socket: { remoteAddress }, headers });
    const request = new Request(`http://office${user}/login`, { method: 'POST', headers });
    const answer = await door.request(request, undefined, { incoming });
    assert.equal(answer.status, 200);
    return answer.headers.getSetCookie().every((cookie) => cookie.includes('; Secure;'));
  };
  assert.deepEqual([await isSecureFrom('10.0.0.1'), await isSecureFrom('10.0.0.2')], [true, false]);
});

test('an answer to a bad body names fifty faults, says how many more there are, and repeats no long text', async (t) => {
  const office = await openOffice(t, database);
  const faults = (count: number) =>
    office.call('POST', `${environment}/apis`, {
      body: {
        ...apiBody('/x'),
        ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`no${at}`, 1])),
      },
    });
  const [fifty, many] = [await faults(50), await faults(4_000)];
  const detailsOf = ({ body }: typeof many) => (body['details'] as unknown[]).length;
  assert.deepEqual([fifty.status, detailsOf(fifty), fifty.body['parameters']], [400, 50, {}]);
  assert.deepEqual(
    [many.status, detailsOf(many), many.body['parameters']],
    [400, 50, { detailsLeftOut: '3950' }],
  );
  const long = await office.call('POST', `${environment}/apis`, {
    body: { ...apiBody('/x'), ['n'.repeat(500_000)]: 1 },
  });
  assert.equal(long.status, 400);
  assert.ok(JSON.stringify(long.body).length < 3_000);
});
