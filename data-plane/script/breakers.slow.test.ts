import assert from 'node:assert/strict';
import { test } from 'node:test';

import { factsJson } from '../../test/kit/scripts/facts.ts';
import { startScripts } from '../../test/kit/scripts/sandbox.ts';

/** The kinds of faults by which scripts have broken the memory of QuickJS, and what lies beside them: each runs, and the next script finds its world as it was. */
const breakers: Readonly<Record<string, string>> = {
  'a function of many arguments': `Function.prototype.apply.call(() => {}, null, Array(70_000))`,
  'Array.isArray of proxies in proxies': `let p = []; for (let n = 0; n < 1e5; n += 1) p = new Proxy(p, {}); Array.isArray(p)`,
  'a generator that runs itself': `let g; function* f() { try { g.next(); } catch {} yield g.return(1); } g = f(); g.next(); g.throw(1)`,
  'a big integer of a whole buffer': `const b = 1n << 1_000_000n; BigInt.asIntN(2 ** 31, -b); b.toString(3)`,
  'a list that shrinks while it is searched': `const a = Array(1000).fill(1); a.lastIndexOf({ valueOf() { a.length = 0; return 1; } }, { valueOf() { a.length = 1; return 999; } }); a.copyWithin({ valueOf() { a.length = 0; return 0; } }, 1); a.fill(1, { valueOf() { a.length = 0; return 0; } }, 1000)`,
  'a view of a buffer that is gone': `const b = new ArrayBuffer(64, { maxByteLength: 4096 }); const v = new Uint8Array(b); v.fill({ valueOf() { b.resize(0); return 1; } }); v.set({ length: 2, get 0() { b.resize(4096); return 1; }, get 1() { b.resize(1); return 2; } }); v.subarray({ valueOf() { b.resize(8); return 4; } })`,
  'a typed array of a length that changes': `const b = new ArrayBuffer(8, { maxByteLength: 65536 }); for (const T of [Uint8Array, Float64Array, BigInt64Array]) try { new T(b, { valueOf() { b.resize(65536); return 0; } }, { valueOf() { b.resize(8); return 1000; } }); } catch {} new Uint8Array({ length: 2 ** 31 })`,
  'a typed array that shrinks while it is sorted': `const b = new ArrayBuffer(65536, { maxByteLength: 65536 }); const v = new Uint32Array(b); v.sort((x, y) => { b.resize(4); return x - y; }); v.toSorted(() => { b.resize(0); return 0; })`,
  'a view beyond its buffer': `const v = new DataView(new ArrayBuffer(8, { maxByteLength: 64 })); v.setFloat64({ valueOf() { v.buffer.resize(0); return 0; } }, 1); v.getBigInt64(-1)`,
  'a weak map whose key goes in between': `const m = new WeakMap(); let k = {}; m.set(k, { get x() { return m; } }); k = null; for (let n = 0; n < 1e4; n += 1) m.set({}, n); new WeakRef({}).deref()`,
  'a set that changes while it is walked': `const s = new Set([1, 2, 3]); const other = { size: 3, has() { s.clear(); return true; }, *keys() { s.clear(); yield 1; } }; s.union(other); s.isSubsetOf(other); for (const x of s) { s.delete(x); s.add(x + 1); if (s.size > 1e3 || x > 1e3) break; }`,
  'a regular expression of many groups': `new RegExp('(' .repeat(250) + 'a' + ')'.repeat(250)).exec('a'); /(?<=(a+)+)b/.exec('a'.repeat(30)); new RegExp('[\\u{10ffff}]'.repeat(5000), 'u').test('x')`,
  'an iterator that throws while it is closed': `const it = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }), return() { throw it; } }) }; try { const [a] = it; } catch {} try { new Map(it); } catch {} Iterator.from(it).drop(1e4)`,
  'a stack of JSON': `let o = {}; for (let n = 0; n < 1e5; n += 1) o = { o }; JSON.stringify(o)`,
  'a text of one billion': `let s = 'x'; for (let n = 0; n < 30; n += 1) s += s; s.split('')`,
  'a name that is no text': `const o = { [Symbol.toPrimitive]() { throw o; } }; Object.defineProperty(globalThis, 'name', { get: () => o }); request.headers().set(o, o)`,
};

test('what broke other builds of QuickJS breaks nothing here: the thread goes on, and the next run finds the world as it was', async (t) => {
  const scripts = startScripts(t, { threadsMax: 1, timeoutMs: 2_000 });
  const run = (source: string) => scripts.run({ dialect: 'js', source, facts: factsJson() });
  const probe =
    "context.set('seen', [typeof leaked, [1, 2].map((n) => n * 2), JSON.stringify({ a: 1 }), new Uint8Array(4).join(), request.method()].join())";
  const clean = await run(probe);
  assert.equal(clean.kind, 'done');
  for (const [what, source] of Object.entries(breakers)) {
    const { kind } = await run(`globalThis.leaked = 1; ${source}`);
    assert.ok(['done', 'failed', 'timeout'].includes(kind), `${what}: ${kind}`);
    assert.deepEqual(await run(probe), clean, what);
  }
});
