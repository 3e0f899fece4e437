import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { startResources } from '../../test/kit/gateway/resources.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { startDirectory, withoutSlapd } from '../../test/kit/servers/slapd.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

const type = 'auth-provider-ldap-resource';

const person = (dn: string, more: string): string =>
  `dn: ${dn}\nobjectClass: inetOrgPerson\nsn: of acme\n${more}\n`;
/** `w(ei)r*d\` in base 64, since LDIF has signs of its own. */
const weird = Buffer.from('w(ei)r*d\\').toString('base64');
const tree = [
  'dn: ou=people,dc=acme\nobjectClass: organizationalUnit\nou: people\n',
  'dn: ou=more,dc=acme\nobjectClass: organizationalUnit\nou: more\n',
  person(
    'uid=ada,ou=people,dc=acme',
    'uid: ada\ncn: Ada\nmail: ada@acme.test\nmail: a@acme.test\nuserPassword: pass-of-ada\n',
  ),
  person('cn=weird,ou=people,dc=acme', `uid:: ${weird}\ncn: weird\nuserPassword: pass-of-weird\n`),
  person('uid=none,ou=people,dc=acme', 'uid: none\ncn: none\n'),
  person('cn=one,ou=people,dc=acme', 'cn: one\nuid: twin\nuserPassword: pass-of-one\n'),
  person('cn=two,ou=more,dc=acme', 'cn: two\nuid: twin\nuserPassword: pass-of-two\n'),
].join('\n');

const configurationOf = (contextSourceUrl: string, more: object = {}) => ({
  contextSourceUrl,
  contextSourceBase: 'dc=acme',
  contextSourceUsername: 'cn=root,dc=acme',
  contextSourcePassword: 'of-root',
  ...more,
});

/** What it says of somebody: his name and attributes, `unknown`, or why nobody knows. */
function asking(t: TestContext, configuration: Readonly<Record<string, unknown>>, caFile?: string) {
  const started = startResources(
    t,
    [{ name: 'users', type, configuration }],
    caFile === undefined ? {} : { caFile },
  );
  const directory = started.resource('authentication', 'users', '');
  const { call } = startPolicy('latency', {});
  const ask = async (username: string, password: string) => {
    const said = await directory.authenticate({ username, password }, call());
    if (said.kind === 'known') return [said.user, ...said.attributes];
    return said.kind === 'unknown' ? said.kind : said.why;
  };
  return { ask, clock: started.clock };
}

test('users of a directory are found and let in by their passwords', { skip: withoutSlapd }, async (t) => {
  const server = await startDirectory(t, tree);

  await t.test('by name and password, with the attributes that are asked for', async (u) => {
    const { ask } = asking(u, configurationOf(server.url, { attributes: ['MAIL', 'cn', 'description'] }));
    const ada = ['uid=ada,ou=people,dc=acme', ['MAIL', ['ada@acme.test', 'a@acme.test']], ['cn', 'Ada']];
    assert.deepEqual(await ask('ada', 'pass-of-ada'), ada);
    for (const [username, password] of [
      ['ada', 'pass-of-Ada'],
      ['ada', ''],
      ['ada', '\0'],
      ['eve', 'pass-of-ada'],
      ['none', 'x'],
      ['', 'pass-of-ada'],
    ] as const)
      assert.equal(await ask(username, password), 'unknown', `${username}:${password}`);
  });

  await t.test('a name is a value of the filter, whatever it holds', async (u) => {
    const { ask } = asking(u, configurationOf(server.url));
    assert.deepEqual(await ask('w(ei)r*d\\', 'pass-of-weird'), ['cn=weird,ou=people,dc=acme']);
    for (const name of [
      '*',
      'a*',
      'ada)(uid=*',
      '*)(|(uid=*',
      'ada\\2a',
      '\\61da',
      'ada\0',
      'ada))',
      '(',
      '{0}',
    ])
      assert.equal(await ask(name, 'pass-of-ada'), 'unknown', name);
    const wide = asking(
      u,
      configurationOf(server.url, { userSearchFilter: '(&(objectClass=*)(|(cn={0})(uid={0})))' }),
    );
    assert.deepEqual(await wide.ask('ADA', 'pass-of-ada'), ['uid=ada,ou=people,dc=acme']);
    assert.equal(await wide.ask('*', 'pass-of-ada'), 'unknown');
  });

  await t.test(
    'where it is not clear who is meant, or nobody may search, nobody is told that he is unknown',
    async (u) => {
      const said = (more: object, name = 'twin') =>
        asking(u, configurationOf(server.url, more)).ask(name, 'pass-of-two');
      assert.equal(await said({}), 'users: more than one entry is found');
      assert.deepEqual(await said({ userSearchBase: 'ou=more' }), ['cn=two,ou=more,dc=acme']);
      assert.equal(
        await said({ userSearchBase: 'ou=nowhere' }),
        'users: the search was answered with code 32',
      );
      assert.equal(await said({ contextSourcePassword: 'x' }), 'users: its own user is not let in: code 49');
      assert.match(String(await said({ useStartTLS: true })), /^users: StartTLS was answered with code 2$/);
    },
  );

  await t.test('who was let in is remembered for a time, and so many; nobody else is', async (u) => {
    const { ask, clock } = asking(
      u,
      configurationOf(server.url, { cacheMaxElements: 1, cacheTimeToLive: 1_000 }),
    );
    const ada = ['uid=ada,ou=people,dc=acme'];
    assert.deepEqual(await ask('ada', 'pass-of-ada'), ada);
    await server.stop();
    assert.deepEqual(await ask('ada', 'pass-of-ada'), ada);
    assert.match(String(await ask('ada', 'pass-of-ad')), /^users: /, 'not by another password');
    assert.match(String(await ask('ad', 'apass-of-ada')), /^users: /, 'nor by the same letters');
    await clock.advance(1_000);
    assert.match(String(await ask('ada', 'pass-of-ada')), /^users: .*ECONNREFUSED/);
    await server.start();
    assert.deepEqual(await ask('ada', 'pass-of-ada'), ada);
    assert.deepEqual(await ask('w(ei)r*d\\', 'pass-of-weird'), ['cn=weird,ou=people,dc=acme']);
    await server.stop();
    assert.match(String(await ask('ada', 'pass-of-ada')), /^users: /, 'forgotten for another one');
    await server.start();
  });

  await t.test(
    'of several servers the next is asked, and a connection that a server has ended is opened again',
    async (u) => {
      const { ask } = asking(u, configurationOf(`ldap://127.0.0.1:1 ${server.url}`));
      assert.deepEqual(await ask('ada', 'pass-of-ada'), ['uid=ada,ou=people,dc=acme']);
      await server.stop();
      await server.start();
      assert.deepEqual(await ask('w(ei)r*d\\', 'pass-of-weird'), ['cn=weird,ou=people,dc=acme']);
    },
  );

  await t.test('a server that stands still holds nobody past the time of an answer', async (u) => {
    const limits = { connectTimeout: 700, responseTimeout: 300, maxPoolSize: 1, minPoolSize: 0 };
    const { ask, clock } = asking(u, configurationOf(server.url, limits));
    assert.deepEqual(await ask('ada', 'pass-of-ada'), ['uid=ada,ou=people,dc=acme']);
    server.pause();
    const asked = ask('none', 'x');
    await eventually(() => clock.pending > 1);
    await clock.advance(299);
    const waits = ask('ada', 'x');
    await clock.advance(1);
    assert.equal(await asked, 'users: no answer within 300 ms');
    await clock.advance(1_000);
    assert.match(String(await waits), /^users: (no|nobody)/, 'one connection was there for both');
    server.resume();
  });
});

test('the way to a directory is secured by authorities of the gateway', { skip: withoutSlapd }, async (t) => {
  const authority = createAuthority(tempDir(t));
  const { caFile } = authority;
  const server = await startDirectory(t, tree, { ...authority.issue('directory'), caFile });
  const ada = ['uid=ada,ou=people,dc=acme'];
  const said = (url: string, more: object, ca?: string) =>
    asking(t, configurationOf(url, more), ca).ask('ada', 'pass-of-ada');
  const secured = server.tlsUrl ?? '';
  assert.deepEqual(await said(secured, {}, caFile), ada);
  assert.deepEqual(await said(server.url, { useStartTLS: true }, caFile), ada);
  assert.match(String(await said(secured, {})), /^users: .*certificate/);
  assert.match(String(await said(server.url, { useStartTLS: true })), /^users: .*certificate/);
  const { port } = new URL(secured);
  assert.match(String(await said(`ldaps://127.0.0.2:${port}`, {}, caFile)), /^users: /, 'of another name');
});

test('where nobody may call is refused, and what a server must not say ends its connection', async (t) => {
  assert.throws(() => asking(t, configurationOf('ldap://169.254.169.254')), {
    code: 'outbound.refused_address',
  });
  assert.throws(() => asking(t, configurationOf('ldap://[::ffff:169.254.169.254]')), {
    code: 'outbound.refused_address',
  });
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
  /** Of the message of this number: a result of that tag, and code. */
  const result = (id: number, tag: string, code: string) =>
    hex(`30 0c 02 01 0${id} ${tag} 07 0a 01 ${code} 04 00 04 00`);
  const bound = result(1, '61', '00');
  const searched = (code: string) => result(2, '65', code);
  let answers: readonly Buffer[] = [];
  const server = createServer((socket: Socket) => {
    let turn = 0;
    socket
      .on('error', () => undefined)
      .on('data', () => void socket.write(answers[turn++] ?? Buffer.alloc(0)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const url = `ldap://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const said = async (...written: readonly Buffer[]) => {
    answers = written;
    return String(await asking(t, configurationOf(url)).ask('ada', 'x'));
  };
  const cases: readonly (readonly [RegExp, ...Buffer[]])[] = [
    [/no message/, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    [/too long/, hex('30 84 7f ff ff ff')],
    [/no length/, hex('30 80 00 00 00 00')],
    [/nobody asked/, hex('30 0c 02 01 00 78 07 0a 01 34 04 00 04 00')],
    [/nobody asked/, result(7, '61', '00')],
    [/something else/, result(1, '65', '00')],
    // A list that says it is longer than what is there, in a message that is whole.
    [/is cut/, bound, hex('30 0b 02 01 02 64 06 04 00 30 7f 00 00')],
    [/is cut/, bound, hex('30 09 02 01 02 64 04 04 00 30 7f')],
    [/no operation/, bound, hex('30 03 02 01 02')],
    [
      /answer is too long/,
      bound,
      Buffer.concat(Array.from({ length: 30_000 }, () => hex('30 09 02 01 02 64 04 04 00 30 00'))),
    ],
    [/code 10$/, bound, searched('0a')],
    [/code 51$/, bound, searched('33')],
    [/^unknown$/, bound, searched('00')],
    [/^unknown$/, bound, Buffer.concat([hex('30 09 02 01 02 64 04 04 00 30 00'), searched('00')])],
    [/^unknown$/, bound, Buffer.concat([hex('30 0b 02 01 02 73 06 04 04 6c 64 61 70'), searched('00')])],
  ];
  for (const [expected, ...written] of cases)
    assert.match(await said(...written), expected, String(expected));
  const secured = async (...written: readonly Buffer[]) => {
    answers = written;
    return String(await asking(t, configurationOf(url, { useStartTLS: true })).ask('ada', 'x'));
  };
  assert.match(
    await secured(Buffer.concat([result(1, '78', '00'), hex('30')])),
    /before the connection was secured/,
  );
});

test('a server that answers byte by byte has the time of an answer for all of them, and keeps nobody past it', async (t) => {
  let client: Socket | undefined;
  const server = createServer((socket: Socket) => {
    client = socket.on('error', () => undefined);
    // A message of 128 KiB, which may be one.
    socket.once('data', () => void socket.write(Buffer.from('3083020000', 'hex')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (client?.destroy(), server.close()));
  const address = server.address();
  const url = `ldap://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const limits = { connectTimeout: 700, responseTimeout: 300, maxPoolSize: 1, minPoolSize: 0 };
  const { ask, clock } = asking(t, configurationOf(url, limits));
  const asked = ask('ada', 'x');
  await eventually(() => client !== undefined && client.bytesRead > 0);
  for (let count = 0; count < 10; count += 1) {
    const written = client?.bytesWritten ?? 0;
    client?.write(Buffer.from([2]));
    await eventually(() => (client?.bytesWritten ?? 0) > written);
    await clock.advance(30);
  }
  assert.equal(await asked, 'users: no answer within 300 ms');
  await eventually(() => client?.destroyed === true);
});

test('what could not work is refused with its path', () => {
  const { config } = resourceCatalog[type];
  const fault = (more: object) =>
    config.safeParse(configurationOf('ldap://h', more)).error?.issues[0]?.path.join('.');
  assert.equal(fault({}), undefined);
  for (const url of [
    '',
    'h',
    'http://h',
    'ldap://',
    'ldap://u:p@h',
    'ldap://h/dc=acme',
    'ldap://h?x',
    'ldap://h h',
  ])
    assert.equal(fault({ contextSourceUrl: url }), 'contextSourceUrl', url);
  assert.equal(fault({ contextSourceUrl: 'ldap://h:1 ldaps://[::1]:2/' }), undefined);
  assert.equal(
    fault({ contextSourceUrl: Array.from({ length: 9 }, () => 'ldap://h').join(' ') }),
    'contextSourceUrl',
  );
  for (const filter of [
    '',
    'uid',
    'uid=x',
    '(uid={0}',
    '(uid={0}))',
    '{0}=x',
    '(&)',
    '(uid=a**{0})',
    '(uid=\\zz{0})',
    '(uid:dn={0})',
    `${'(!'.repeat(16)}(uid={0})${')'.repeat(16)}`,
  ])
    assert.equal(fault({ userSearchFilter: filter }), 'userSearchFilter', filter);
  for (const filter of [
    '(uid={0})',
    '(!(uid={0}))',
    'cn=*{0}*',
    '(&(uid={0})(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=b))',
    '(:caseExactMatch:={0})',
    '(cn;lang-de>=\\c3\\a9{0})',
    `${'(!'.repeat(15)}(uid={0})${')'.repeat(15)}`,
  ])
    assert.equal(fault({ userSearchFilter: filter }), undefined, filter);
  for (const field of ['contextSourceBase', 'contextSourceUsername', 'contextSourcePassword'])
    assert.equal(fault({ [field]: '' }), field);
  assert.equal(fault({ contextSourceUrl: 'ldaps://h', useStartTLS: true }), 'useStartTLS');
  assert.equal(fault({ minPoolSize: 16 }), 'minPoolSize');
  assert.equal(fault({ minPoolSize: 15 }), undefined);
  assert.equal(fault({ attributes: ['a b'] }), 'attributes.0');
  for (const [field, value] of Object.entries({
    cacheMaxElements: 0,
    cacheTimeToLive: 999,
    connectTimeout: 0,
    responseTimeout: 0,
    maxPoolSize: 0,
  }))
    assert.equal(fault({ [field]: value, minPoolSize: 0 }), field);
});
