import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, password, v1 } from '../../test/kit/control-plane/office.ts';
import {
  activate,
  clientId,
  clientSecret,
  openScene,
  organization,
  providersPath,
  publicUrl,
  redirectUriAt,
  trust,
} from '../../test/kit/control-plane/federation.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { startLyingIssuer, type Lie } from '../../test/kit/servers/lying-issuer.ts';
import { startOidc } from '../../test/kit/servers/oidc.ts';

/* Sign-in by identity providers, with a real one and with one that lies, as a browser and as whoever would like to be somebody else. */

const failed = `${publicUrl}/console/sign-in?problem=failed`;

for (const database of testDatabases)
  test(
    `somebody whom a real provider knows comes in with what the mapping gives, worked out anew each time (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const logged: string[] = [];
      const onLogged = (line: string): void => void logged.push(line);
      // The redirect URI holds the organization's id, which the office makes: so the provider starts after it.
      const allow: string[] = ['127.0.0.1'];
      const scene = await openScene(t, allow, { database, onLogged });
      const oidc = await startOidc(t, redirectUriAt(scene));
      const group = await scene.call('POST', `${v1}/configuration/groups`, { body: { name: 'Shop' } });
      const groupId = String(group.body['id']);
      await trust(scene, oidc.issuer, {
        configuration: {
          clientId,
          clientSecret,
          discoveryEndpoint: `${oidc.issuer}/.well-known/openid-configuration`,
          scopes: ['openid', 'profile', 'email'],
        },
        groupMappings: [
          { condition: "{#jsonPath(#profile, '$.groups').contains('shop')}", groups: [groupId] },
        ],
        roleMappings: [
          {
            condition: "{#jsonPath(#profile, '$.groups').contains('boss')}",
            organizations: ['ADMIN'],
            environments: { DEFAULT: ['API_PUBLISHER'] },
          },
        ],
      });
      const shown = await scene.call('GET', `${organization}/social-identities`, { as: null });
      const [offered] = shown.body as unknown as readonly { id: string; authorizationEndpoint: string }[];
      assert.deepEqual(
        [offered?.id, offered?.authorizationEndpoint],
        ['corporate', redirectUriAt(scene).replace('_callback', '_start')],
      );

      const signIn = async () => {
        const { url, cookie } = await scene.start('corporate', '?back=/DEFAULT/apis%3Fq=a');
        const { location, session } = await scene.back(await oidc.pass(url), cookie);
        assert.equal(location, `${publicUrl}/console/DEFAULT/apis?q=a`, logged.at(-1));
        return scene.me(session);
      };
      const rolesOf = (who: Record<string, unknown>): string[] =>
        (who['roles'] as { scope: string; name: string }[]).map(({ scope, name }) => `${scope} ${name}`);
      oidc.people.set('ann', {
        given_name: 'Ann',
        family_name: 'Lee',
        email: 'ann@example.com',
        groups: ['boss', 'shop'],
      });
      const first = await signIn();
      assert.deepEqual(
        [first['displayName'], first['email'], first['source'], first['sourceId'], first['username']],
        ['Ann Lee', 'ann@example.com', 'corporate', 'ann', 'corporate:ann'],
      );
      assert.deepEqual(rolesOf(first).toSorted(), ['ENVIRONMENT API_PUBLISHER', 'ORGANIZATION ADMIN']);
      assert.deepEqual(Object.values(first['groupsByEnvironment'] as object), [['Shop']]);

      const id = String(first['id']);
      const why = await scene.call('GET', `${v1}/users/${id}/why`);
      const sources = why.body['sources'] as {
        role: string;
        identityProvider?: { id: string; name: string };
      }[];
      const byProvider = { id: 'corporate', name: 'Corporate' };
      assert.deepEqual(
        new Map(sources.map(({ role, identityProvider }) => [role, identityProvider])),
        new Map([
          ['ADMIN', byProvider],
          ['API_PUBLISHER', byProvider],
        ]),
      );

      // By hand, beside what the mapping gives.
      const given = await scene.call('PUT', `${organization}/users/${id}/roles`, {
        body: { referenceType: 'ENVIRONMENT', referenceId: 'DEFAULT', roles: ['API_PUBLISHER', 'USER'] },
      });
      assert.ok(given.status < 300, given.text);
      oidc.people.set('ann', { given_name: 'Ann', family_name: 'Ray', groups: [] });
      const second = await signIn();
      assert.equal(second['id'], id);
      assert.deepEqual([second['displayName'], second['email']], ['Ann Ray', undefined]);
      assert.deepEqual(rolesOf(second).toSorted(), ['ENVIRONMENT USER', 'ORGANIZATION USER']);
      assert.deepEqual(second['groupsByEnvironment'], {});

      // A member by hand stays one.
      const byHand = await scene.call('POST', `${v1}/configuration/groups/${groupId}/members`, {
        body: [{ id, roles: [{ scope: 'API', name: 'OWNER' }] }],
      });
      assert.ok(byHand.status < 300, byHand.text);
      oidc.people.set('ann', { groups: ['shop'] });
      await signIn();
      oidc.people.set('ann', { groups: [] });
      assert.deepEqual(Object.values((await signIn())['groupsByEnvironment'] as object), [['Shop']]);

      // What is not activated for an environment gives nothing there.
      await activate(scene, v1, []);
      oidc.people.set('ann', { groups: ['boss'] });
      assert.deepEqual(rolesOf(await signIn()).toSorted(), ['ENVIRONMENT USER', 'ORGANIZATION ADMIN']);

      // Names that are cut, where a character takes two units, are the same the next time.
      oidc.people.set('ann', {
        given_name: `${'x'.repeat(63)}\u{1f600}`,
        family_name: '\u{1f600}'.repeat(33),
      });
      const cut = `${'x'.repeat(63)} ${'\u{1f600}'.repeat(32)}`;
      assert.equal((await signIn())['displayName'], cut);
      const updates = async (): Promise<number> =>
        (await scene.call('GET', `${organization}/audit?size=100`)).text.split('"USER_UPDATED"').length;
      const before = await updates();
      assert.equal((await signIn())['displayName'], cut);
      assert.equal(await updates(), before);

      const audit = await scene.call('GET', `${organization}/audit?size=100`);
      assert.match(audit.text, /"USER_CONNECTED"/);
      for (const text of [audit.text, ...logged]) assert.ok(!text.includes(clientSecret), text.slice(0, 200));
    },
  );

test('nobody is let in whom a provider says falsely, and nothing is made of him', async (t) => {
  const issuer = await startLyingIssuer(t, clientId);
  const logged: string[] = [];
  const scene = await openScene(t, [issuer.host], { onLogged: (line) => void logged.push(line) });
  await trust(scene, issuer.issuer);
  const once = async (
    lie: Lie,
    {
      more,
      cookie,
    }: { readonly more?: Readonly<Record<string, string | undefined>>; readonly cookie?: string } = {},
  ) => {
    issuer.lie = {};
    const begun = await scene.start();
    const url = issuer.answerTo(begun.url, more);
    issuer.lie = lie;
    const came = await scene.back(url, cookie ?? begun.cookie);
    return { ...came, url, begun };
  };
  const nowS = Math.floor(Date.now() / 1_000);
  const { url: earlier, begun: first } = await once({});
  const stolen = issuer.idToken();
  const lies: readonly (readonly [name: string, lie: Lie])[] = [
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another audience', { claims: { aud: 'somebody-else' } }],
    ['several audiences, for another party', { claims: { aud: [clientId, 'x'], azp: 'x' } }],
    ['expired', { claims: { exp: nowS - 120 } }],
    ['not yet', { claims: { nbf: nowS + 600 } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['another nonce', { claims: { nonce: 'guessed' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['a token of an earlier sign-in', { idToken: stolen }],
    ['alg none', { head: { alg: 'none' }, signature: '' }],
    ['alg none, signed', { head: { alg: 'none' } }],
    ['an alg of the client secret', { head: { alg: 'HS256' } }],
    ['a key that it does not show', { isForged: true }],
    ['a key that nobody has', { head: { kid: 'other' } }],
    ['no token', { idToken: '' }],
    ['no token at all', { idToken: 'x.y.z' }],
    ['user info of somebody else', { userInfo: { sub: 'admin' } }],
    ['a code that is refused', { status: 400 }],
  ];
  for (const [name, lie] of lies) {
    const { location, session } = await once(lie);
    assert.deepEqual([location, session], [failed, undefined], name);
  }
  assert.ok((await once({})).session !== undefined, 'what is right is let in');
  for (const [name, more] of [
    ['another state', { state: 'guessed' }],
    ['no state', { state: undefined }],
    ['mixed up with another issuer', { iss: 'https://evil.example' }],
    ['no issuer though it was promised', { iss: undefined }],
    ['an error', { error: 'access_denied', code: undefined }],
    ['no code', { code: undefined }],
  ] as const) {
    const asked = issuer.asked.length;
    const { location, session } = await once({}, { more });
    assert.deepEqual([location, session, issuer.asked.length], [failed, undefined, asked], name);
  }
  for (const [name, cookie] of [
    ['a browser that did not begin it', ''],
    ['a browser that began another one', first.cookie],
    ['a cookie that somebody made', '__Host-isthmus-sign-in=sealed:v1:x:AAAA'],
  ] as const) {
    const { location, session } = await once({}, { cookie });
    assert.deepEqual([location, session], [failed, undefined], name);
  }
  issuer.lie = {};
  const replayed = await scene.back(earlier, first.cookie);
  assert.deepEqual([replayed.location, replayed.session], [failed, undefined], 'the same answer again');

  const users = await scene.storage.db.selectFrom('user_account').select('source_id').execute();
  assert.deepEqual(new Set(users.map(({ source_id: id }) => id)), new Set([null, 'eve']));
  assert.equal(users.length, 2);
  for (const line of logged) {
    for (const secret of [clientSecret, 'a-code', stolen, first.cookie])
      assert.ok(!line.includes(secret), line.slice(0, 300));
  }
  // What is told to the provider is what it was promised, and the way that was registered.
  const [asked] = issuer.asked;
  assert.equal(asked?.get('redirect_uri'), redirectUriAt(scene));
  assert.ok((asked?.get('code_verifier')?.length ?? 0) >= 43);
});

test('a sign-in ends within ten minutes, and where it began: with this provider, in the console', async (t) => {
  const issuer = await startLyingIssuer(t, clientId);
  const scene = await openScene(t, [issuer.host]);
  await trust(scene, issuer.issuer);
  const other = await scene.call('POST', providersPath, {
    body: {
      name: 'Other',
      type: 'OIDC',
      configuration: {
        clientId,
        clientSecret,
        discoveryEndpoint: `${issuer.issuer}/.well-known/openid-configuration`,
      },
    },
  });
  assert.equal(other.status, 201, other.text);
  await activate(scene, organization, ['corporate', 'other']);

  for (const [wanted, path] of [
    ['//evil.example', '/'],
    ['https://evil.example/', '/'],
    ['/%5Cevil.example', '/'],
    ['/a%0d%0aSet-Cookie:x', '/'],
    ['javascript:alert(1)', '/'],
    ['/DEFAULT/apis', '/DEFAULT/apis'],
  ]) {
    const { url, cookie } = await scene.start('corporate', `?back=${wanted}`);
    assert.equal(
      (await scene.back(issuer.answerTo(url), cookie)).location,
      `${publicUrl}/console${path}`,
      wanted,
    );
  }
  const late = await scene.start();
  scene.clock.jump(600_000);
  assert.equal((await scene.back(issuer.answerTo(late.url), late.cookie)).location, failed, 'too late');
  const begun = await scene.start();
  const mixed = issuer.answerTo(begun.url).replace('/corporate/', '/other/');
  assert.equal((await scene.back(mixed, begun.cookie)).location, failed, "another provider's way back");
  // A page of somebody else begins nothing.
  const forced = await scene.call('GET', `${organization}/auth/oauth2/corporate/_start`, {
    as: null,
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  assert.deepEqual([forced.status, forced.body.technicalCode], [403, 'csrf.cross_site']);
});

test('a provider that is away, lies of itself or is taken away lets nobody in; passwords still do', async (t) => {
  const issuer = await startLyingIssuer(t, clientId);
  const scene = await openScene(t, [issuer.host]);
  const problem = async (id = 'corporate'): Promise<string> => {
    const { url } = await scene.start(id);
    return url.split('problem=')[1] ?? url;
  };
  const update = async (more: object): Promise<void> => {
    const { body } = await scene.call('GET', `${providersPath}/corporate`);
    const put = await scene.call('PUT', `${providersPath}/corporate`, { body: { ...body, ...more } });
    assert.equal(put.status, 200, put.text);
  };
  await trust(scene, 'https://127.0.0.2:1');
  assert.equal(await problem(), 'unavailable', 'an address that is not allowed');
  await trust(scene, 'http://127.0.0.1:1', { name: 'Away' });
  assert.equal(await problem('away'), 'unavailable', 'nobody there');
  assert.equal(await problem('none'), 'failed', 'no such provider');
  const login = await scene.call('POST', `${organization}/user/login`, { as: basic('admin', password) });
  assert.equal(login.status, 200);

  await trust(scene, issuer.issuer, { name: 'Lying' });
  for (const [document, expected] of [
    [{ issuer: 'https://evil.example' }, 'failed'],
    [{ jwks_uri: undefined }, 'unavailable'],
    [{ authorization_endpoint: 'javascript:alert(1)' }, 'unavailable'],
  ] as const) {
    issuer.lie = { document };
    assert.equal(await problem('lying'), expected, JSON.stringify(document));
  }
  issuer.lie = {};
  const begun = await scene.start('lying');
  const { session } = await scene.back(issuer.answerTo(begun.url), begun.cookie);
  assert.equal((await scene.me(session))['sourceId'], 'eve');
  const unanswered = await scene.start('lying');
  issuer.lie = { status: 503 };
  assert.equal(
    (await scene.back(issuer.answerTo(unanswered.url), unanswered.cookie)).location.split('problem=')[1],
    'unavailable',
  );
  issuer.lie = {};

  const id = String((await scene.me(session))['id']);
  const reset = await scene.call('POST', `${organization}/users/${id}/resetPassword`, {
    body: { password: 'another long password' },
  });
  assert.deepEqual([reset.status, reset.body.technicalCode], [400, 'user.notManaged']);
  const waiting = await scene.start('lying');
  await activate(scene, organization, []);
  assert.deepEqual(await scene.me(session), { status: 401 }, 'the session has ended');
  assert.equal((await scene.back(issuer.answerTo(waiting.url), waiting.cookie)).location, failed);
  await activate(scene, organization, ['lying']);
  const disabled = await scene.call('POST', `${organization}/users/${id}/_disable`);
  assert.equal(disabled.status, 200, disabled.text);
  const again = await scene.start('lying');
  const refused = await scene.back(issuer.answerTo(again.url), again.cookie);
  assert.deepEqual([refused.location.split('problem=')[1], refused.session], ['notAllowed', undefined]);
  await update({ enabled: false });
});

test('nobody becomes a user who is here by having his name or address', async (t) => {
  const issuer = await startLyingIssuer(t, clientId);
  const scene = await openScene(t, [issuer.host]);
  await trust(scene, issuer.issuer, {
    emailRequired: true,
    userProfileMapping: { firstname: "{#jsonPath(#profile, '$.nick')}", email: 'contact.mail' },
  });
  const own = await scene.call('POST', `${organization}/users`, {
    body: { username: 'eve', email: 'eve@example.com', password: 'a long enough password', role: 'ADMIN' },
  });
  assert.equal(own.status, 201, own.text);
  const signIn = async (userInfo: Readonly<Record<string, unknown>>) => {
    const { url, cookie } = await scene.start();
    issuer.lie = { userInfo };
    return scene.back(issuer.answerTo(url), cookie);
  };
  assert.match((await signIn({ email: 'eve@example.com' })).location, /problem=emailRequired/);
  const { session } = await signIn({ nick: 'Evi', contact: { mail: 'eve@example.com' } });
  const who = await scene.me(session);
  assert.notEqual(who['id'], own.body['id']);
  assert.deepEqual([who['username'], who['displayName']], ['corporate:eve', 'Evi']);
  assert.ok(!JSON.stringify(who['roles']).includes('ADMIN'));
  // No password opens an account that a provider keeps.
  for (const guess of ['', 'x'])
    assert.equal(
      (await scene.call('GET', `${organization}/user`, { as: basic('corporate:eve', guess) })).status,
      401,
    );
});

test('who has not signed in is told whether passwords open anything', async (t) => {
  for (const allowPasswords of [true, false]) {
    const scene = await openScene(t, [], { allowPasswords });
    const told = await scene.call('GET', `${organization}/console`, { as: null });
    assert.deepEqual(
      [told.status, told.body],
      // No mail is set up here, so that no password can be reset by one, and nobody can register.
      [
        200,
        {
          authentication: { localLogin: { enabled: allowPasswords }, passwordReset: { enabled: false } },
          management: { userCreation: { enabled: false } },
        },
      ],
    );
    const nowhere = await scene.call('GET', '/management/organizations/nowhere/console', { as: null });
    assert.equal(nowhere.status, 404);
  }
});
