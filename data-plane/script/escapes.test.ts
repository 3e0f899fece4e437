import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startScripts } from '../../test/kit/scripts/sandbox.ts';
import { factsJson } from '../../test/kit/scripts/facts.ts';

/** What a script would have in hand that has come out: every one of these is looked for. */
const host = [
  'process',
  'require',
  'module',
  'exports',
  'Buffer',
  'global',
  'fetch',
  'setTimeout',
  'setImmediate',
  'queueMicrotask',
  'structuredClone',
  'WebAssembly',
  'Atomics',
  'performance',
  'navigator',
  'Worker',
  'importScripts',
  'XMLHttpRequest',
  'WebSocket',
  'std',
  'os',
  'bjson',
  'scriptArgs',
  'load',
  'loadScript',
  '__loadScript',
  'gc',
  'Java',
  'Packages',
  'Polyglot',
  'Graal',
  'quit',
  'read',
];

/** Ways out of other sandboxes, as they were published: an expression that is the host's `process`, or a word of it, where one works. */
const recipes: readonly (readonly [where: string, script: string])[] = [
  ['the constructor of functions', `found = this.constructor.constructor('return process')()`],
  ['... of a function that was given', `found = request.method.constructor('return process')()`],
  ['... of an object that was given', `found = request.headers().set.constructor('return process')()`],
  ['... of an async function', `found = (async () => {}).constructor('return process')()`],
  ['... of a generator', `found = (function* () {}).constructor('return process')().next().value`],
  ['Function itself', `found = new Function('return process')()`],
  ['eval from afar', `found = (0, eval)('process')`],
  ['the world of the caller', `found = (function f() { return f.caller; })().arguments`],
  ['arguments.callee.caller', `found = (function () { return arguments.callee.caller.caller; })()`],
  [
    'vm2 2019, an exception of the host',
    `try { request.headers().set({ toString() { throw 1; } }, 'x'); } catch (e) { found = e.constructor.constructor('return process')(); }`,
  ],
  [
    'vm2 CVE-2019-10761, a stack that is full',
    `function f() { try { f(); } catch (e) { found = e.constructor.constructor('return process')(); throw e; } } try { f(); } catch {}`,
  ],
  [
    'vm2 CVE-2022-36067, prepareStackTrace',
    `Error.prepareStackTrace = (e, frames) => { found = frames[0].getThis().process; }; new Error().stack; globalThis.Error = { prepareStackTrace: Error.prepareStackTrace }; try { null.x; } catch (e) { e.stack; }`,
  ],
  [
    'vm2 CVE-2023-29017, prepareStackTrace of what is not awaited',
    `Error.prepareStackTrace = (e, frames) => { found = frames.constructor.constructor('return process')(); }; (async () => { null.x; })();`,
  ],
  [
    'vm2 CVE-2023-29199, the name of an error',
    `const e = new Error(); e.name = { toString: new Proxy(() => '', { apply(t, h, a) { found = a.constructor.constructor('return process')(); return ''; } }) }; try { e.stack; String(e); } catch {}`,
  ],
  [
    'vm2 CVE-2023-30547, a proxy that throws',
    `try { throw new Proxy({}, { getPrototypeOf() { throw { proxy: new Proxy(f, {}) }; } }); } catch (e) { found = e.proxy && e.proxy.constructor('return process')(); } function f() {}`,
  ],
  [
    'vm2 CVE-2023-32314, a function on a proxy',
    `const p = new Proxy(() => {}, { get: (t, n, r) => { found = r.constructor && r.constructor.constructor('return process')(); return undefined; } }); try { context.set('p', p); } catch {} JSON.stringify({ p });`,
  ],
  [
    'vm2 CVE-2023-37466, the species of a promise',
    `const p = (async () => { throw 1; })(); p.constructor = { [Symbol.species]: class { constructor(run) { run((x) => x, (e) => { found = e.constructor.constructor('return process')(); }); } } }; p.then();`,
  ],
  [
    'vm2 CVE-2023-37903, inspect of Node',
    `const o = { [Symbol.for('nodejs.util.inspect.custom')]: (d, opt, inspect) => { found = inspect.constructor('return process')(); } }; console.log(o); throw o;`,
  ],
  [
    'vm2 CVE-2026, callbacks of promises',
    `Promise.prototype.then = function (a, b) { found = a.constructor('return process')(); }; Promise.resolve().then(() => 1, () => 1); (async () => { await null; })();`,
  ],
  ['import of what Node has', `import('node:fs').then((fs) => { found = fs; })`],
  ['import of what QuickJS has', `import('std').then((std) => { found = std; })`],
  ['import of os', `import('qjs:os').then((os) => { found = os; })`],
  ['import of a file', `import('/etc/passwd').then((file) => { found = file; })`],
  [
    'getters of the global object',
    `found = Object.getOwnPropertyNames(globalThis).map((n) => globalThis[n]).find((v) => v && v.env && v.pid)`,
  ],
  [
    'what objects inherit of',
    `let o = request; while (Object.getPrototypeOf(o)) o = Object.getPrototypeOf(o); found = o.constructor.constructor('return process')()`,
  ],
  ['a realm of its own', `found = Reflect.construct(Function, ['return process'], class {})()`],
  [
    'the prototype of what comes out',
    `Object.prototype.process = 1; Array.prototype.toJSON = () => ['x']; found = undefined;`,
  ],
  ['the answer itself', `JSON.stringify = () => '{"failure":null,"process":1}';`],
  [
    'a weak reference',
    `found = new FinalizationRegistry(() => {}).constructor.constructor('return process')()`,
  ],
  [
    'a with of proxies',
    `with (new Proxy({}, { has: () => true, get: (t, n) => n === Symbol.unscopables ? undefined : globalThis.constructor }) ) { found = process.constructor('return process')(); }`,
  ],
  [
    'a regular expression that calls',
    `'a'.replace(/a/, (...a) => { found = a.constructor.constructor('return process')(); })`,
  ],
  ['a template', `found = ((s) => s.raw.constructor.constructor('return process')())\`x\``],
  [
    'vm2, the promise of an async function',
    `const e = new Error(); e.name = Symbol(); const p = (async () => e.stack)(); p.catch((x) => { found = x.constructor.constructor('return process')(); });`,
  ],
  [
    'vm2, a getter in the species of a promise',
    `Object.defineProperty(Promise, Symbol.species, { get() { return function (run) { run((x) => { found = x.constructor.constructor('return process')(); }, () => 0); }; } }); (async () => 1)().then(() => 1);`,
  ],
  [
    'a generator that is closed',
    `const it = { [Symbol.asyncIterator]: () => ({ next: () => ({ get value() { found = this.constructor.constructor('return process')(); }, done: false }), return: (x) => { found = x; } }) }; (async () => { for await (const a of it) break; })();`,
  ],
  [
    'the stack of an error, frame by frame',
    `Error.stackTraceLimit = Infinity; Error.prepareStackTrace = (e, frames) => frames; for (const f of [].concat(new Error().stack)) found ??= f && f.getThis && f.getThis();`,
  ],
  [
    'a getter on what is thrown',
    `throw { get message() { found = this.constructor.constructor('return process')(); return ''; }, get stack() { return found; }, toString() { return 'x'; } };`,
  ],
  [
    'the handler of a proxy',
    `const h = new Proxy({}, { get: (t, n) => (...a) => { found ??= a.find((x) => x && x.process); return Reflect[n](...a); } }); const p = new Proxy(function () {}, h); try { request.headers().set(p, p); new p(); p(); } catch {}`,
  ],
  ['a subclass of Function', `class F extends Function {} found = new F('return process')()`],
  ['a bound constructor', `found = Function.bind(null, 'return process')()()`],
  [
    '__proto__ of JSON',
    `found = JSON.parse('{"__proto__":{"process":1}}').process && undefined; Object.assign({}, JSON.parse('{"__proto__":{"pid":1}}'));`,
  ],
  ['comments of HTML', `found = eval('<!-- x\\nthis.process')`],
  ['the debugger', `debugger; found = globalThis.debugger`],
];

test('of the process that it runs in, a script sees nothing', async (t) => {
  const scripts = startScripts(t);
  const source = `context.set('seen', ${JSON.stringify(host)}.filter((name) => typeof globalThis[name] !== 'undefined' || (() => { try { return eval('typeof ' + name) !== 'undefined'; } catch { return false; } })()));`;
  const outcome = await scripts.run({ dialect: 'js', source, facts: factsJson() });
  assert.ok(outcome.kind === 'done', JSON.stringify(outcome));
  assert.deepEqual(outcome.effects.attributes, [['set', 'seen', []]]);
});

test('ways out of other sandboxes, one by one, lead nowhere', async (t) => {
  const scripts = startScripts(t);
  for (const dialect of ['js', 'javascript'] as const)
    for (const [where, recipe] of recipes) {
      // Whatever has come out knows one of these.
      const tell = `['pid', 'env', 'mainModule', 'readFileSync', 'exec', 'loadFile', 'evalScript'].some((name) => { try { return found[name] !== undefined; } catch { return false; } }) || typeof found === 'string' ? 'out' : 'nothing'`;
      const sets = dialect === 'js' ? `context.set('found', ${tell})` : `context.attributes.found = ${tell}`;
      // What promises find comes after the end of the script, so it tells twice.
      const source = `var found; try { ${dialect === 'js' ? recipe : recipe.replaceAll('headers()', 'headers')} } finally { ${sets}; Promise.resolve().then(() => 1).then(() => { ${sets}; }); }`;
      const outcome = await scripts.run({ dialect, source, facts: factsJson() });
      assert.notEqual(outcome.kind, 'timeout', where);
      if (outcome.kind === 'done')
        for (const [how, name, value] of outcome.effects.attributes)
          if (how === 'set' && name === 'found') assert.equal(value, 'nothing', where);
    }
});

test('what a script spoils is its own run: the next one, of anybody, finds the world as it was', async (t) => {
  const scripts = startScripts(t, { threadsMax: 1 });
  const run = (source: string) => scripts.run({ dialect: 'js', source, facts: factsJson() });
  const probe =
    "context.set('seen', [typeof leaked, [].map.name, JSON.stringify({ a: 1 }), ({}).x ?? 'none', request.method()].join())";
  const clean = await run(probe);
  for (const spoil of [
    'globalThis.leaked = 1',
    'leaked = 1; var leaked; Object.freeze(globalThis)',
    'Array.prototype.map = null; Object.prototype.x = 1',
    'JSON.stringify = null; JSON = null',
    "Object.defineProperty(Object.prototype, 'x', { get() { throw 1; } })",
    'request = null; context = null; result = null',
    'Promise.prototype.then = null; Function.prototype.call = null',
    'while (true) { (function f() { f(); })(); }',
    "'x'.repeat(2 ** 29)",
    "eval('('.repeat(1e6))",
    'const b = new ArrayBuffer(1024, { maxByteLength: 65536 }); const a = new Float64Array(b); a.fill(1); b.resize(0); a.sort(() => b.resize(65536)); leaked = 1',
    'const s = new Set([1]); s.forEach(() => { s.clear(); s.add(1); throw 1; })',
  ]) {
    await run(spoil);
    assert.deepEqual(await run(probe), clean, spoil);
  }
  const randoms = await Promise.all([1, 2, 3].map(() => run("context.set('r', Math.random())")));
  assert.equal(
    new Set(randoms.map((outcome) => JSON.stringify(outcome))).size,
    3,
    'chance is not the same in each run',
  );
});
