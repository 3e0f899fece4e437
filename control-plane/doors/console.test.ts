import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { openOffice } from '../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { registerConsole } from './console.ts';

const script = 'console.log(1);'.repeat(50);

/** A door to a build of two files. */
function openDoor(t: TestContext, folder = tempDir(t)): Hono {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<meta name="csp-nonce" content="__NONCE__"><p>console');
  writeFileSync(join(folder, 'theme.js'), 'theme');
  writeFileSync(join(folder, 'secret.js'), 'outside of what is served');
  writeFileSync(join(folder, 'assets/main-1a2b.js'), script);
  writeFileSync(join(folder, 'assets/main-1a2b.js.br'), brotliCompressSync(script));
  writeFileSync(join(folder, 'assets/main-1a2b.js.gz'), gzipSync(script));
  writeFileSync(join(folder, 'assets/inter-1a2b.woff2'), 'font');
  const app = new Hono({ strict: false });
  registerConsole(app, folder);
  return app;
}

test('every address of the console is its one page, with a policy whose nonce is new each time', async (t) => {
  const app = openDoor(t);
  const nonces = new Set<string>();
  for (const path of ['/console', '/console/', '/console/DEFAULT/apis', '/console/a/b/c%2fd?x=1']) {
    const answer = await app.request(path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    const policy = answer.headers.get('content-security-policy') ?? '';
    const [, nonce = ''] = /style-src 'self' 'nonce-([^']+)'/.exec(policy) ?? [];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(await answer.text(), `<meta name="csp-nonce" content="${nonce}"><p>console`);
    assert.ok(Buffer.from(nonce, 'base64').length >= 16);
    nonces.add(nonce);
  }
  assert.equal(nonces.size, 4);
  const root = await app.request('/');
  assert.deepEqual([root.status, root.headers.get('location')], [302, '/console/']);
});

test('files of the build are kept for ever, packed as the browser takes them', async (t) => {
  const app = openDoor(t);
  const ask = async (accept: string | undefined) => {
    const headers = accept === undefined ? {} : { 'accept-encoding': accept };
    const answer = await app.request('/console/assets/main-1a2b.js', { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(answer.headers.get('vary'), 'Accept-Encoding');
    return [answer.headers.get('content-encoding'), Buffer.from(await answer.arrayBuffer())] as const;
  };
  for (const [accept, coding] of [
    ['gzip, deflate, br', 'br'],
    ['GZIP', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0', null],
    ['brother', null],
    [undefined, null],
  ] as const) {
    const [said, bytes] = await ask(accept);
    assert.equal(said, coding, String(accept));
    const plain =
      coding === 'br' ? brotliDecompressSync(bytes) : coding === 'gzip' ? gunzipSync(bytes) : bytes;
    assert.equal(plain.toString(), script);
  }
  const font = await app.request('/console/assets/inter-1a2b.woff2', {
    headers: { 'accept-encoding': 'br' },
  });
  assert.deepEqual(
    [font.headers.get('content-type'), font.headers.get('content-encoding')],
    ['font/woff2', null],
  );
  const theme = await app.request('/console/theme.js');
  assert.deepEqual([await theme.text(), theme.headers.get('cache-control')], ['theme', 'no-cache']);
});

test('nothing but the files of the build is read', async (t) => {
  const app = openDoor(t);
  for (const name of [
    '..%2fsecret.js',
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e%2fsecret.js',
    'secret.js',
    '__proto__',
    'main-1a2b.js.map',
    'main-1a2b.js%00',
    'main-1a2b.js.br',
  ])
    assert.equal((await app.request(`/console/assets/${name}`)).status, 404, name);
});

test('without a build the page says how to make one', async (t) => {
  const app = new Hono({ strict: false });
  registerConsole(app, tempDir(t));
  const answer = await app.request('/console/DEFAULT/apis');
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /npm run build:ui/);
  assert.equal((await app.request('/console/assets/main.js')).status, 404);
});

test('what a later build has taken away is said in a line, and is no fault of the platform', async (t) => {
  const folder = tempDir(t);
  const app = openDoor(t, folder);
  rmSync(folder, { recursive: true });
  for (const path of [
    '/console/assets/main-1a2b.js',
    '/console/assets/inter-1a2b.woff2',
    '/console/theme.js',
  ])
    for (const accept of ['br', 'gzip', 'identity']) {
      const answer = await app.request(path, { headers: { 'accept-encoding': accept } });
      assert.equal(answer.status, 503, path);
      assert.equal(answer.headers.get('content-encoding'), null);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.match(await answer.text(), /built anew\. Start the control plane again/);
    }
  const page = await app.request('/console/DEFAULT/apis');
  assert.equal(page.status, 200);
});

test('a script of a page is not answered with a challenge that makes the browser ask', async (t) => {
  const { call } = await openOffice(t, testDatabases[0] as TestDatabase);
  const path = '/management/organizations/DEFAULT/user';
  const challenge = async (headers: Readonly<Record<string, string>>) => {
    const { status, headers: said } = await call('GET', path, { as: null, headers });
    assert.equal(status, 401);
    return said.get('www-authenticate');
  };
  assert.match((await challenge({})) ?? '', /^Basic /);
  assert.match((await challenge({ 'sec-fetch-dest': 'document' })) ?? '', /^Basic /);
  assert.equal(
    await challenge({ 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' }),
    'Session realm="isthmus"',
  );
});
