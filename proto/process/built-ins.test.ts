import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInThisContext } from 'node:vm';

import { areBuiltInsClosed, closeBuiltIns } from './built-ins.ts';

const root = join(import.meta.dirname, '../..');
const seen = (name: string): unknown => ({} as Record<string, unknown>)[name];

test('a key that is __proto__ adds nothing to what every object inherits', () => {
  closeBuiltIns();
  assert.ok(areBuiltInsClosed());
  const table = {} as Record<string, Record<string, unknown>>;
  const key = '__proto__';
  assert.throws(() => ((table[key] ??= {})['200.0-300.0'] = 1), TypeError);
  assert.throws(() => Object.assign(table[key] ?? {}, { polluted: true }), TypeError);
  // Libraries in sloppy mode are not even told.
  runInThisContext(
    "({}).__proto__.polluted = 1; [].__proto__.polluted = 1; (() => 1).__proto__.polluted = 1; ''.__proto__.polluted = 1",
  );
  assert.equal(seen('200.0-300.0'), undefined);
  assert.equal(seen('polluted'), undefined);
  assert.equal(([] as unknown as Record<string, unknown>)['polluted'], undefined);
});

test('an object may still be given a toString of its own by assignment, as libraries do', () => {
  closeBuiltIns();
  const own = {} as { toString: () => string };
  own.toString = () => 'own';
  assert.equal(String(own), 'own');
  class Odd extends Error {}
  Odd.prototype.name = 'Odd';
  assert.equal(new Odd().name, 'Odd');
});

test('every program of ours closes the built-ins', () => {
  const programs = globSync(
    '{bridge,control-plane,data-plane,deploy,shipper}/**/{*-main,*-thread,thread,command-line}.ts',
    {
      cwd: root,
    },
  );
  assert.ok(programs.length >= 4);
  for (const program of programs)
    assert.match(readFileSync(join(root, program), 'utf8'), /^ *closeBuiltIns\(\);$/m, program);
});
