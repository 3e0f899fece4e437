import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { skipWithout } from '../../../test/kit/require.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import {
  copyDurablyAside,
  createDurably,
  createDurablyAside,
  isUnfinished,
  makeFolderDurably,
  writeDurably,
  writeDurablyAside,
} from './durable-file.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const modeOf = (path: string): number => statSync(path).mode & 0o777;

const writers = {
  writeDurably: async (path: string, text: string) => (
    makeFolderDurably(dirname(path)),
    writeDurably(path, text)
  ),
  writeDurablyAside: async (path: string, text: string) => writeDurablyAside(path, bytes(text)),
};
const creators = {
  createDurably: async (path: string, text: string) => (
    makeFolderDurably(dirname(path)),
    createDurably(path, text)
  ),
  createDurablyAside: async (path: string, text: string) => createDurablyAside(path, bytes(text)),
};

for (const [name, write] of Object.entries({ ...writers, ...creators }))
  test(`${name}: the file is for its owner alone, and so is every folder that is made for it`, async (t) => {
    const before = process.umask(0);
    t.after(() => process.umask(before));
    const dir = tempDir(t);
    await write(join(dir, 'a', 'b', 'file'), 'text');
    assert.equal(readFileSync(join(dir, 'a', 'b', 'file'), 'utf8'), 'text');
    assert.deepEqual(
      ['a', 'a/b', 'a/b/file'].map((path) => modeOf(join(dir, path))),
      [0o700, 0o700, 0o600],
    );
    assert.deepEqual(readdirSync(join(dir, 'a', 'b')), ['file'], 'nothing is left aside');
  });

for (const [name, create] of Object.entries(creators))
  test(`${name}: of many that write one name exactly one is first, and its content stays`, async (t) => {
    const path = join(tempDir(t), 'file');
    const firsts = await Promise.all(Array.from({ length: 20 }, async (_, n) => create(path, `text ${n}`)));
    assert.equal(firsts.filter(Boolean).length, 1);
    assert.equal(readFileSync(path, 'utf8'), `text ${firsts.indexOf(true)}`);
    assert.deepEqual(readdirSync(join(path, '..')), ['file']);
  });

for (const [name, write] of Object.entries(writers))
  test(`${name}: what cannot be put in its place leaves what was there, and nothing aside`, async (t) => {
    const dir = tempDir(t);
    mkdirSync(join(dir, 'place', 'full'), { recursive: true });
    await assert.rejects(write(join(dir, 'place'), 'text'));
    assert.deepEqual(readdirSync(dir), ['place']);
    writeFileSync(join(dir, 'file'), '');
    await assert.rejects(write(join(dir, 'file', 'below'), 'text'), 'a file stands in place of the folder');
  });

test('a file in place of the folder is an error, never "somebody was first"', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  for (const create of Object.values(creators))
    await assert.rejects(create(join(dir, 'file', 'below'), 'text'));
});

test('a copy is whole, and none is made of what is not there', async (t) => {
  const dir = tempDir(t);
  writeDurably(join(dir, 'from'), 'text');
  await copyDurablyAside(join(dir, 'from'), join(dir, 'there', 'to'));
  assert.equal(readFileSync(join(dir, 'there', 'to'), 'utf8'), 'text');
  await assert.rejects(copyDurablyAside(join(dir, 'none'), join(dir, 'there', 'other')), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(join(dir, 'there')), ['to']);
});

test('what a crash leaves aside is known by its name', () => {
  assert.ok(isUnfinished('.unfinished-0123456789abcdef.tmp'));
  assert.ok(!isUnfinished('0123.parcel'));
});

const skip = skipWithout('strace', existsSync('/usr/bin/strace'));

test(
  'before a call returns, the file and its name are forced to disk, and the name of each new folder',
  { skip },
  (t) => {
    const dir = tempDir(t);
    const trace = join(dir, 'trace');
    const script = `
    const files = await import(${JSON.stringify(join(import.meta.dirname, 'durable-file.ts'))});
    files.makeFolderDurably(${JSON.stringify(join(dir, 'one', 'two'))});
    files.writeDurably(${JSON.stringify(join(dir, 'one', 'two', 'file'))}, 'text');
    await files.writeDurablyAside(${JSON.stringify(join(dir, 'eins', 'zwei', 'file'))}, Buffer.from('text'));
  `;
    const seen = ['-f', '-y', '-qq', '-e', 'trace=fsync,rename,renameat,renameat2', '-o', trace];
    execFileSync('strace', [...seen, process.execPath, '--input-type=module', '-e', script]);
    const calls = readFileSync(trace, 'utf8').split('\n');
    for (const [above, below] of [
      ['one', 'two'],
      ['eins', 'zwei'],
    ] as const) {
      const forced = calls.flatMap((line) => /fsync\(\d+<([^>]*)>/.exec(line)?.[1] ?? []);
      const inner = join(dir, above, below);
      const ours = forced.filter((path) => path === dir || path.startsWith(join(dir, above)));
      assert.ok(ours.includes(join(dir, above)) && ours.includes(dir), 'new folders stand in forced ones');
      const file = ours.findIndex((path) => path.includes('.unfinished-'));
      assert.ok(file >= 0 && ours.lastIndexOf(inner) > file, 'first the bytes, then the name');
    }
  },
);

test('a folder that somebody has removed does not come back by a note in it', (t) => {
  const path = join(tempDir(t), 'gone', 'note');
  assert.throws(() => writeDurably(path, 'text'), { code: 'ENOENT' });
  assert.throws(() => createDurably(path, 'text'), { code: 'ENOENT' });
});

test('a folder is made once and may be asked for again', (t) => {
  const dir = join(tempDir(t), 'a', 'b');
  makeFolderDurably(dir);
  makeFolderDurably(dir);
  assert.equal(modeOf(dir), 0o700);
});
