import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '../../../test/kit/temp-dir.ts';
import { makeFolders, makeFoldersAside } from './folders.ts';

const ways: Readonly<Record<string, (dir: string) => Promise<string | undefined>>> = {
  'at once': async (dir) => makeFolders(dir),
  aside: makeFoldersAside,
};

for (const [way, make] of Object.entries(ways)) {
  test(`folders are made down to the last, private, and the topmost new one is named (${way})`, async (t) => {
    const dir = tempDir(t);
    mkdirSync(join(dir, 'there'));
    assert.equal(await make(join(dir, 'there/a/b/c')), join(dir, 'there/a'));
    assert.equal(statSync(join(dir, 'there/a/b/c')).mode & 0o777, 0o700);
    assert.equal(await make(join(dir, 'there/a/b/c')), undefined);
    assert.equal(await make(join(dir, 'there/a/b/d')), join(dir, 'there/a/b/d'));
  });

  test(`where nothing can be made, the system's own error comes at once (${way})`, async (t) => {
    const dir = tempDir(t);
    writeFileSync(join(dir, 'file'), '');
    await assert.rejects(make(join(dir, 'file')), { code: 'EEXIST' });
    await assert.rejects(make(join(dir, 'file/below')), { code: 'ENOTDIR' });
    // The kernel says ENOENT of a folder that is there; mkdir with `recursive` asks for ever.
    await assert.rejects(make('/proc/isthmus'), { code: 'ENOENT' });
    await assert.rejects(make('/proc/isthmus/a/b'), { code: 'ENOENT' });
  });

  test(`two that make the same folders at the same time both succeed (${way})`, async (t) => {
    const dir = tempDir(t);
    await Promise.all(Array.from({ length: 8 }, () => make(join(dir, 'a/b/c/d'))));
    assert.ok(statSync(join(dir, 'a/b/c/d')).isDirectory());
  });
}
