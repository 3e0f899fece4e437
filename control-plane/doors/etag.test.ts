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
    const stale = await office.call('PUT', path, { body: wish, headers: { 'if-match': etag } });
    assert.equal(stale.status, 412, `${name}: the tag of an answer names the row it was of`);
  }
});
