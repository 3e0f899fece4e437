import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { totpCode, totpStepAt } from '../../control-plane/access/second-factor/totp.ts';
import { openCommandScene, serveOn } from '../../test/kit/processes/command-scene.ts';
import { password } from '../../test/kit/control-plane/office.ts';
import { startConnectProxy } from '../../test/kit/engine/connect-proxy.ts';
import { runCommands } from '../../test/kit/processes/commands.ts';

const definition = (name: string, path: string, description = ''): string => `
definitionVersion: V4
id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
type: PROXY
name: ${name}
description: '${description}'
apiVersion: '1.0'
listeners: [{ type: HTTP, paths: [{ path: ${path} }], entrypoints: [{ type: http-proxy }] }]
endpointGroups:
  - name: default
    type: http-proxy
    endpoints: [{ name: one, type: http-proxy, configuration: { target: 'http://backend.example' } }]
plans: [{ name: open, security: { type: KEY_LESS }, mode: STANDARD, status: PUBLISHED }]
flows: []
`;

test('a user with a second factor logs in with a code, which counts once, and no session is left', async (t) => {
  const { office, url, run } = await openCommandScene(t);
  const user = '/management/organizations/DEFAULT/user';
  const { body: kept } = await office.call('POST', `${user}/tokens`, { body: { name: 'kept' } });
  const as = `Bearer ${String(kept['token'])}`;
  const factor = `${user}/secondFactor`;
  const enrolled = await office.call('POST', `${factor}/_enrol`, { as, body: { currentPassword: password } });
  const code = (step: number): string =>
    totpCode(String(enrolled.body['secret']), totpStepAt(office.clock.now()) + step);
  const confirmed = await office.call('POST', `${factor}/_confirm`, { as, body: { code: code(-1) } });
  assert.equal(confirmed.status, 200, confirmed.text);
  const login = ['login', '--url', url, '--user', 'admin'];
  const [unasked, signedIn, who, again] = await run(
    login,
    [...login, '--code', code(0)],
    ['get', 'users', '--json'],
    [...login, '--code', code(0)],
  );
  assert.match(unasked?.said ?? '', /no terminal to ask for the code[^]*--code/);
  assert.deepEqual([signedIn?.code, who?.code], [0, 0], signedIn?.said);
  assert.match(again?.said ?? '', /signIn\.codeWrong/);
  const sessions = await office.call('GET', `${user}/sessions`, { as });
  assert.equal(sessions.text, '[]');
});

test('login keeps a token and never the password, in a file for its user alone; logout deletes the token', async (t) => {
  const { office, url, file, run } = await openCommandScene(t);
  const [signedIn, listed, who] = await run(
    ['login', '--url', url, '--user', 'admin', '--name', 'here'],
    ['context', 'list'],
    ['get', 'users', '--json'],
  );
  assert.deepEqual([signedIn?.code, listed?.code, who?.code], [0, 0, 0], signedIn?.said);
  assert.match(listed?.said ?? '', /^here +http/m);
  assert.match(who?.said ?? '', /"lastConnectionAt": ?\d/, 'it is a sign-in, as one with a code is');
  const user = '/management/organizations/DEFAULT/user';
  assert.equal((await office.call('GET', `${user}/sessions`)).text, '[]', 'its session has ended');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(password));
  const { contexts } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly contexts: Readonly<Record<'here', { readonly token: string }>>;
  };
  const tokens = () =>
    office.call('GET', '/management/organizations/DEFAULT/user/tokens').then(({ text }) => text);
  assert.match(await tokens(), /isthmus login/);
  const [out, after] = await run(['logout'], ['get', 'apis']);
  assert.match(out?.said ?? '', /its token is deleted/);
  assert.match(after?.said ?? '', /client\.no_context.*isthmus login/);
  assert.doesNotMatch(await tokens(), /isthmus login/);
  const { status } = await office.call('GET', '/management/v2/environments/DEFAULT/apis', {
    as: `Bearer ${contexts.here.token}`,
  });
  assert.equal(status, 401);
});

test('a wrong password keeps nothing, and what was kept before stays', async (t) => {
  const { url, dir, file, run } = await openCommandScene(t);
  writeFileSync(join(dir, 'wrong'), 'not the password\n');
  const [, wrong] = await run(
    ['login', '--url', url, '--user', 'admin', '--name', 'here'],
    ['login', '--url', url, '--user', 'admin', '--name', 'there', '--password-file', 'wrong'],
  );
  assert.equal(wrong?.code, 1);
  assert.match(wrong?.said ?? '', /401.*client\.refused.*Check the name of the user and the password/);
  assert.deepEqual(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { contexts: object }).contexts), [
    'here',
  ]);
});

test('of a sign-in into an environment that is not there no token stays at the control plane', async (t) => {
  const { office, url, run } = await openCommandScene(t);
  const [end] = await run(['login', '--url', url, '--user', 'admin', '--environment', 'nowhere']);
  assert.equal(end?.code, 1);
  assert.match(end?.said ?? '', /its token is deleted/);
  const { text } = await office.call('GET', '/management/organizations/DEFAULT/user/tokens');
  assert.doesNotMatch(text, /isthmus login/);
});

test('apply creates an API, changes nothing where nothing differs, tells the difference first, and deploys when asked', async (t) => {
  const { office, url, dir, run } = await openCommandScene(t);
  const file = join(dir, 'orders.yaml');
  writeFileSync(file, definition('orders', '/orders'));
  const [, dry, made, same] = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['apply', '-f', file, '--dry-run'],
    ['apply', '-f', file],
    ['apply', '-f', file, '--json'],
  );
  assert.match(dry?.said ?? '', /api orders would be created/);
  assert.match(made?.said ?? '', /api orders \(.+\) created/);
  assert.match(same?.said ?? '', /"effect": "unchanged"/, same?.said);
  assert.equal((await office.published('api')).length, 0);
  writeFileSync(file, definition('orders', '/orders', 'of the shop'));
  const [changed, deployed, exported] = await run(
    ['apply', '-f', file, '--dry-run'],
    ['apply', '-f', file, '--deploy'],
    ['describe', 'api', 'orders', '--export'],
  );
  assert.match(changed?.said ?? '', /would be changed\n +description\n/);
  assert.match(deployed?.said ?? '', /changed and deployed/);
  assert.equal((await office.published('api')).length, 1);
  // By its id, which the export has, so that it may have another name.
  writeFileSync(join(dir, 'exported.yaml'), (exported?.said ?? '').replaceAll('name: orders', 'name: sales'));
  const [renamed, again] = await run(['apply', '-f', 'exported.yaml'], ['apply', '-f', 'exported.yaml']);
  assert.match(renamed?.said ?? '', /changed\n +name\n/);
  const [late, twice] = await run(
    ['apply', '-f', 'exported.yaml', '--deploy'],
    ['apply', '-f', 'exported.yaml', '--deploy'],
  );
  assert.match(late?.said ?? '', /unchanged and deployed/, 'what an earlier apply changed');
  assert.match(twice?.said ?? '', /unchanged\n/);
  assert.match(again?.said ?? '', /unchanged/);
});

test('objects are created, found by name, changed, given back as apply takes them, and deleted', async (t) => {
  const { office, url, dir, run } = await openCommandScene(t);
  const { id } = await office.deployedApi('/orders');
  writeFileSync(join(dir, 'app.yaml'), 'kind: application\nname: shop\ndescription: of the shop\n');
  writeFileSync(
    join(dir, 'plan.yaml'),
    'kind: plan\ndefinitionVersion: V4\nname: gold\nsecurity: { type: API_KEY }\nmode: STANDARD\n',
  );
  const ends = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['apply', '-f', 'app.yaml'],
    ['apply', '-f', 'app.yaml'],
    ['create', '-f', 'plan.yaml', '--api', id],
    ['get', 'plans', '--api', 'api /orders'],
    ['describe', 'app', 'shop', '--json'],
  );
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0, 0, 0, 0],
    JSON.stringify(ends),
  );
  assert.match(ends[1]?.said ?? '', /application shop .* created/);
  assert.match(ends[2]?.said ?? '', /application shop .* unchanged/);
  assert.match(ends[4]?.said ?? '', /^gold +API_KEY +STAGING/m);
  writeFileSync(join(dir, 'again.json'), ends[5]?.said ?? '');
  const [again, gone, missing] = await run(
    ['apply', '-f', 'again.json'],
    ['delete', 'app', 'shop'],
    ['delete', 'app', 'shop'],
  );
  assert.deepEqual([again?.code, gone?.code, missing?.code], [0, 0, 1], again?.said);
  assert.match(missing?.said ?? '', /There is no application "shop"/);
});

test('what is refused says where and why, and lets nothing pass unsaid', async (t) => {
  const { url, dir, run } = await openCommandScene(t);
  writeFileSync(join(dir, 'bad.yaml'), definition('bad', 'no-slash'));
  writeFileSync(join(dir, 'ann.yaml'), 'kind: user\nusername: ann\npassword: umbrella-and-boots\n');
  writeFileSync(
    join(dir, 'planless.yaml'),
    definition('planless', '/planless').replace(/^plans: .*$/m, 'plans: []'),
  );
  const ends = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['apply', '-f', 'bad.yaml'],
    ['get', 'plans'],
    ['get', 'apis', '--api', 'x'],
    ['get', 'apis', '--query', 'foo=1'],
    ['apply', '-f', 'nowhere.yaml'],
    ['create', '-f', 'bad.yaml', '--context', 'nowhere'],
    ['apply', '-f', 'bad.yaml', '--dry-run'],
    ['apply', '-f', 'planless.yaml', '--deploy'],
    ['call', 'POST', '/v2/environments/DEFAULT/apis', '-f', 'nowhere.yaml'],
    ['create', '-f', 'ann.yaml'],
  );
  const said = ends.map((each) => each.said);
  assert.match(said[1] ?? '', /bad\.yaml: .*path/);
  assert.match(said[2] ?? '', /say which with --api.*E\.g\. isthmus get \w+ --api orders/s);
  assert.match(said[3] ?? '', /--api says nothing about apis/);
  assert.match(said[4] ?? '', /warning: .*foo/);
  assert.match(said[5] ?? '', /There is no file nowhere\.yaml/);
  assert.match(said[6] ?? '', /There is no context "nowhere"/);
  assert.equal(ends[7]?.code, 1);
  assert.match(said[7] ?? '', /bad\.yaml: .*path/, 'a dry run refuses what the import would');
  assert.match(said[8] ?? '', /api planless \(.+\) created, and not deployed: .*plan/);
  assert.match(said[9] ?? '', /There is no file nowhere\.yaml/);
  assert.match(said[10] ?? '', /makes no user.*console, or with a personal token without an end/s);
});

test('a credential follows no redirect, and what is no management API is told as such', async (t) => {
  const { dir } = await openCommandScene(t);
  const seen: (string | undefined)[] = [];
  const elsewhere = await serveOn(t, (request, answer) => {
    seen.push(request.headers.authorization);
    answer.end('{}');
  });
  const redirecting = await serveOn(t, (_request, answer) =>
    answer.writeHead(307, { location: `${elsewhere}/management/x` }).end(),
  );
  const page = await serveOn(t, (_request, answer) => answer.end('<html></html>'));
  const as = (url: string) =>
    runCommands([['get', 'apis']], { cwd: dir, env: { ISTHMUS_URL: url, ISTHMUS_TOKEN: 'secret' } });
  const [redirected] = await as(redirecting);
  assert.equal(redirected?.code, 1);
  assert.deepEqual(seen, []);
  const [other] = await as(page);
  assert.match(other?.said ?? '', /no management API/);
  const [called] = await runCommands([['call', 'GET', '/v2/environments/DEFAULT/apis']], {
    cwd: dir,
    env: { ISTHMUS_URL: page, ISTHMUS_TOKEN: 'secret' },
  });
  assert.match(called?.said ?? '', /no management API/);
  const [half] = await runCommands([['get', 'apis']], { cwd: dir, env: { ISTHMUS_URL: page } });
  assert.match(half?.said ?? '', /ISTHMUS_TOKEN/);
});

test('call makes any operation: parts of an API, an export as it is written, a refusal with what to do', async (t) => {
  const { office, url, dir, run } = await openCommandScene(t);
  const { id } = await office.deployedApi('/orders');
  writeFileSync(join(dir, 'merge.yaml'), 'description: of the shop\n');
  writeFileSync(
    join(dir, 'list.json'),
    '[{ "op": "replace", "path": "/description", "value": "of two shops" }]',
  );
  const api = `/v2/environments/DEFAULT/apis/${id}`;
  const [, merged, listed, exported, field, refused] = await run(
    ['login', '--url', url, '--user', 'admin'],
    ['call', 'PATCH', api, '-f', 'merge.yaml', '--field', 'description'],
    ['call', 'PATCH', api, '-f', 'list.json', '--field', 'description'],
    ['call', 'GET', `${api}/subscriptions/_export`],
    ['call', 'GET', `${api}/subscriptions/_export`, '--field', 'id'],
    ['call', 'DELETE', '/v2/environments/DEFAULT/apis'],
  );
  assert.equal(merged?.said, 'of the shop\n');
  assert.equal(listed?.said, 'of two shops\n');
  assert.match(exported?.said ?? '', /^Plan;Application;/);
  assert.match(field?.said ?? '', /has no field id/);
  assert.match(refused?.said ?? '', /Allowed: GET, POST\./);
});

test('what HTTPS_PROXY names stands between, as for every other call that leaves', async (t) => {
  const { url, dir, run, file } = await openCommandScene(t);
  await run(['login', '--url', url, '--user', 'admin', '--name', 'here']);
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  const { contexts } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly contexts: Readonly<Record<'here', { readonly token: string }>>;
  };
  const env = { ISTHMUS_URL: url, ISTHMUS_TOKEN: contexts.here.token, HTTPS_PROXY: proxy.url };
  const [listed] = await runCommands([['get', 'users']], { cwd: dir, env });
  assert.equal(listed?.code, 0, listed?.said);
  assert.equal(proxy.connections(), 1);
});

test('the completion of bash knows commands, kinds and options', async () => {
  const [end] = await runCommands([['completion', 'bash']]);
  const complete = (...words: readonly string[]): readonly string[] => {
    const script = `${end?.said ?? ''}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _isthmus; echo "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
  };
  assert.deepEqual(complete('isthmus', 'desc'), ['describe']);
  assert.deepEqual(complete('isthmus', 'get', 'dict'), ['dictionary', 'dictionaries']);
  assert.ok(complete('isthmus', 'apply', '--dr').includes('--dry-run'));
  assert.deepEqual(complete('isthmus', 'get', 'apis', '-o', "''"), ['table', 'json', 'yaml']);
  assert.deepEqual(complete('isthmus', 'get', '--api', 'pl'), [''], 'what an API is called is no kind');
  assert.deepEqual(complete('isthmus', 'call', 'PA'), ['PATCH']);
  assert.deepEqual(complete('isthmus', 'completion', 'z'), ['zsh']);
});
