import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Make, makers, otherwise, put } from '../../test/kit/control-plane/makers.ts';
import { openOffice } from '../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { routes } from '../management/index.ts';

test('whoever names the ETag of what he has gets 304 until it is something else, of every operation that gives one', async (t) => {
  const tagged = routes.flatMap((route) =>
    // The environment and the organization have the paths of their bases alone.
    route.method === 'get' && route.isVersioned ? [route.path === '' ? route.scope : route.path] : [],
  );
  assert.ok(tagged.length > 8, 'there are such operations');
  assert.deepEqual(
    tagged.filter((path) => !makers.has(path)),
    [],
    'a maker each',
  );
  const removed = new Set(routes.flatMap(({ method, path }) => (method === 'delete' ? [path] : [])));
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  for (const name of tagged) {
    const path = await (makers.get(name) as Make)(office, t);
    const read = await office.call('GET', path);
    const etag = read.headers.get('etag') ?? '';
    assert.match(etag, /^"\d+\.[\w-]{16}"$/, name);
    const ask = (ifNoneMatch: string, as?: string) =>
      office.call('GET', path, {
        headers: { 'if-none-match': ifNoneMatch },
        ...(as !== undefined && { as }),
      });
    for (const tag of [etag, `W/${etag}`, `"1", ${etag}`, '*']) {
      const kept = await ask(tag);
      assert.deepEqual([kept.status, kept.text, kept.headers.get('etag')], [304, '', etag], `${name} ${tag}`);
    }
    assert.equal((await ask(etag, 'Bearer nothing')).status, 401, `${name}: rights come first`);
    assert.equal((await ask(etag.replace('.', '.x'))).text, read.text, name);
    await office.clock.advance(1);
    const wish = otherwise(name, read.body);
    await put(office, path, wish);
    const changed = await ask(etag);
    assert.equal(changed.status, 200, `${name} is another one now`);
    assert.notEqual(changed.headers.get('etag'), etag, name);
    for (const method of ['PUT', ...(removed.has(name) ? ['DELETE'] : [])]) {
      const body = method === 'PUT' ? wish : undefined;
      const stale = await office.call(method, path, { body, headers: { 'if-match': etag } });
      assert.equal(stale.status, 412, `${method} ${name}: the tag of an answer names the row it was of`);
    }
    assert.equal((await ask('"0"')).text, changed.text, `${name} is as it was`);
    const fresh = { 'if-match': changed.headers.get('etag') ?? '' };
    const again = await office.call('PUT', path, { body: changed.body, headers: fresh });
    assert.ok(again.status < 300, `${name} ${again.text}`);
  }
});

/** What is read and written at one path and has no ETag, with the reason. */
const untagged: ReadonlyMap<string, string> = new Map([
  ['/apis/{apiId}/picture', 'a file'],
  ['/apis/{apiId}/background', 'a file'],
  ['/apis/{apiId}/members', 'a list, of which a query names one'],
  ['/applications/{applicationId}/members', 'a list, of which a query names one'],
  ['/apis/{apiId}/notificationsettings', 'a list, of which the own one is written'],
  ['/applications/{applicationId}/notificationsettings', 'a list, of which the own one is written'],
  ['/configuration/notificationsettings', 'a list, of which the own one is written'],
  ['/configuration/metadata', 'a list, of which the body names one'],
  ['/configuration/categories', 'a list, of which the body names some'],
  ['/configuration/entrypoints', 'a list, of which the body names one'],
  ['/configuration/tenants', 'a list, of which the body names some'],
  ['/identities', 'a list that is written whole'],
  ['/configuration/entrypoints/{entrypointId}', 'is only removed'],
  ['/configuration/tenants/{tenantId}', 'is only removed'],
  ['/samples', 'is only removed'],
  ['/user/notifications', 'is only removed'],
  ['/user/sessions', 'is only removed'],
]);

test('whatever is read and written at one path has an ETag, but for lists, files and what is only removed', () => {
  const read = new Map(
    routes.flatMap((route) => (route.method === 'get' ? [[route.scope + route.path, route] as const] : [])),
  );
  const bare = routes.flatMap(({ method, scope, path }) => {
    const isWritten = method === 'put' || method === 'patch' || method === 'delete';
    return isWritten && read.get(scope + path)?.isVersioned === false ? [path] : [];
  });
  assert.deepEqual([...new Set(bare)].toSorted(), [...untagged.keys()].toSorted());
});
