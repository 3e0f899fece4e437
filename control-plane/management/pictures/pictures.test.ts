import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiBody, basic, environment, openOffice, password } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { pictureBytesMax } from './pictures.ts';

const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from([0, 1, 2, 255])]);

for (const database of testDatabases) {
  test(
    `a picture is what its bytes say, bounded, and never runs anything (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/pictured') });
      const api = `${environment}/apis/${String(made.body['id'])}`;
      for (const kind of ['picture', 'background']) {
        const path = `${api}/${kind}`;
        const put = async (bytes: Uint8Array, type = 'image/png'): Promise<number> =>
          (await office.call('PUT', path, { text: bytes, headers: { 'content-type': type } })).status;
        assert.equal((await office.call('GET', path)).status, 404);
        // Whatever the sender calls it.
        assert.equal(await put(png, 'image/gif'), 204);
        const got = await office.app.request(`http://office${path}`, {
          headers: { authorization: basic('admin', password) },
        });
        assert.deepEqual(Buffer.from(await got.arrayBuffer()), png);
        assert.deepEqual(
          ['content-type', 'content-security-policy', 'x-content-type-options'].map((name) =>
            got.headers.get(name),
          ),
          ['image/png', "default-src 'none'; sandbox", 'nosniff'],
        );
        assert.equal(
          await put(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'),
          415,
        );
        assert.equal(await put(png, 'application/json'), 415);
        assert.equal(await put(Buffer.alloc(0)), 415);
        const longest = Buffer.concat([png, Buffer.alloc(pictureBytesMax - png.length)]);
        assert.equal(await put(longest), 204);
        assert.equal(await put(Buffer.concat([longest, Buffer.alloc(1)])), 413);
        const told = async () => (await office.storage.db.selectFrom('audit').select('id').execute()).length;
        const before = await told();
        assert.equal(await put(longest), 204);
        assert.equal(await told(), before, 'the one that it has is no change');
        assert.equal(await put(png), 204);
        assert.equal(await told(), before + 1);
        assert.equal((await office.call('DELETE', path)).status, 204);
        assert.equal((await office.call('GET', path)).status, 404);
      }
    },
  );
}
