import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, platform } from 'node:os';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { isWithin } from '../../test/kit/pace.ts';
import { factsJson } from '../../test/kit/scripts/facts.ts';
import { startSandbox, startScripts } from '../../test/kit/scripts/sandbox.ts';
import type { ScriptRun } from './script.ts';

const job = (source: string): ScriptRun => ({ dialect: 'js', source, facts: factsJson() });

/** They end by themselves, or are ended: what each is ended by, and a word of what it says. */
const bombs: readonly (readonly [bomb: string, source: string])[] = [
  ['an endless loop', 'while (true);'],
  ['one that catches everything', 'for (;;) { try { while (true); } catch {} finally { continue; } }'],
  ['a regular expression that backtracks', "/(a+)+$/.test('a'.repeat(60) + 'b')"],
  ['memory in pieces', "const a = []; for (;;) a.push('x'.repeat(100_000) + a.length)"],
  [
    'memory that is caught',
    'const a = []; for (;;) { try { a.push(new Array(100_000).fill(a)); } catch { } }',
  ],
  ['one long call of the engine', 'BigInt("9".repeat(100_000)) ** 99_999n'],
  ['a sort that compares by chance', '[...Array(2_000_000).keys()].sort(() => Math.random() - 0.5)'],
  ['a flood of promises', 'for (let n = 0; ; n += 1) Promise.resolve().then(() => n)'],
  ['a getter of what is thrown', 'throw { get message() { while (true); } }'],
  ['a text of what is set', "request.headers().set('a', { toString() { while (true); } })"],
  [
    'what is told at the end',
    "Object.prototype.toJSON = () => { while (true); }; request.headers().set('a', 'b')",
  ],
  ['a proxy', 'new Proxy({}, { get() { while (true); } }).x'],
  [
    'letters that are joined',
    "'a'.repeat(3_000_000).split('').join('b').replaceAll('a', 'cc').split('c').join('a')",
  ],
];
const failures: readonly (readonly [bomb: string, source: string, why: RegExp])[] = [
  ['a text of half a gigabyte', "'x'.repeat(2 ** 29)", /memory/],
  ['a buffer of a gigabyte', 'new ArrayBuffer(2 ** 30)', /memory/],
  ['a text that doubles', "let x = 'a'; for (;;) x += x", /too long|memory/],
  ['a function without end', '(function f() { f(); })()', /stack overflow/],
  ['JSON without end', "JSON.parse('['.repeat(1_000_000))", /stack overflow/],
  ['a program without end', "eval('('.repeat(1_000_000))", /stack|memory/],
  ['promises without end', '(function next() { Promise.resolve().then(next); })()', /10000 promises/],
  ['what is thrown', "\n\nthrow new Error('no')", /^no \(line 3\)$/],
];

test(
  'the kernel prefers every other thread of the process to those of scripts',
  { skip: platform() !== 'linux' },
  async (t) => {
    const nices = () =>
      readdirSync('/proc/self/task').map((id) =>
        // Behind the name, which is in brackets and may hold blanks.
        Number(readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
      );
    const own = getPriority();
    assert.ok(nices().every((nice) => nice === own));
    const scripts = startScripts(t, { threadsMax: 1 });
    await eventually(async () => (await scripts.run(job('1'))).kind === 'done', { timeoutMs: 30_000 });
    assert.deepEqual(
      nices().filter((nice) => nice !== own),
      [Math.min(19, own + 5)],
    );
  },
);

test('what runs on is ended within 200 ms of its budget, one by one, and the next script runs', async (t) => {
  const timeoutMs = 100;
  // Of a core that others use it may wait 80 ms.
  const scripts = startScripts(t, {
    timeoutMs,
    waitMsMax: 50,
    threadsMax: 1,
    memoryBytesMax: 16 * 1024 * 1024,
  });
  for (const [bomb, source] of bombs) {
    // A thread may have to start: this run is not what is timed.
    await eventually(async () => (await scripts.run(job('1'))).kind === 'done', { timeoutMs: 30_000 });
    const run = scripts.run(job(source));
    // Its timer comes after the one that ends the run, however late this machine is.
    const outcome = await Promise.race([run, systemClock.delay(timeoutMs + 200)]);
    assert.ok(outcome !== undefined && outcome.kind !== 'done', `${bomb}: ${JSON.stringify(outcome)}`);
  }
  await eventually(async () => (await scripts.run(job('1'))).kind === 'done', { timeoutMs: 30_000 });
});

test('what needs more than it may have fails by itself, long before its time is out', async (t) => {
  const scripts = startScripts(t, { memoryBytesMax: 16 * 1024 * 1024 });
  for (const [bomb, source, why] of failures) {
    const outcome = await scripts.run(job(source));
    assert.ok(outcome.kind === 'failed', `${bomb}: ${JSON.stringify(outcome)}`);
    assert.match(outcome.why, why, bomb);
  }
});

test('slow scripts of one API run one after another without a pause, though they leave a thread to others', async (t) => {
  const sandbox = startSandbox(t, { threadsMax: 2, waitMsMax: 60_000 });
  const scripts = sandbox.of('a');
  t.after(scripts.hold());
  const slow = 'const end = Date.now() + 20; while (Date.now() < end);';
  await Promise.all([1, 2, 3].map(() => scripts.run(job(slow))));
  const beganMs = performance.now();
  await Promise.all([1, 2, 3, 4].map(() => scripts.run(job(slow))));
  // Whoever waited for the clock that lets waiting scripts go would wait for 15 s.
  isWithin(performance.now() - beganMs, { msMax: 10_000 });
});

test('the main thread waits for no script: while one loops, timers are on time', async (t) => {
  const scripts = startScripts(t, { timeoutMs: 300, threadsMax: 1 });
  await scripts.run(job('1'));
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 5);
  await scripts.run(job('while (true);'));
  clearInterval(timer);
  assert.ok(turns >= 15, `${turns} turns in 300 ms`);
});

test('there is no thread before an API holds one, one then, more while scripts wait, none when the last lets go', async (t) => {
  const sandbox = startSandbox(t, { threadsMax: 2 });
  assert.equal(sandbox.threads, 0);
  const [a, b] = [sandbox.of('a'), sandbox.of('b')];
  const letGoA = a.hold();
  const letGoB = b.hold();
  assert.equal(sandbox.threads, 1);
  await Promise.all([1, 2, 3, 4].map(() => a.run(job('1'))));
  assert.ok(sandbox.threads <= 2);
  letGoA();
  letGoA();
  assert.equal((await b.run(job('1'))).kind, 'done', 'the other still has its thread');
  letGoB();
  await eventually(() => sandbox.threads === 0);
});

test('a run that begins before its API lets go ends as it would have', async (t) => {
  const sandbox = startSandbox(t, { threadsMax: 1 });
  const scripts = sandbox.of('a');
  const letGo = scripts.hold();
  const runs = [1, 2].map(() => scripts.run(job("context.set('a', 1)")));
  letGo();
  assert.deepEqual(
    (await Promise.all(runs)).map(({ kind }) => kind),
    ['done', 'done'],
  );
  await eventually(() => sandbox.threads === 0);
});

test('a script that finds no thread in time is told so, as is one more than may wait', async (t) => {
  const sandbox = startSandbox(t, { threadsMax: 1, timeoutMs: 2_000, waitMsMax: 100, waitingMax: 4 });
  const [a, b] = [sandbox.of('a'), sandbox.of('b')];
  t.after(a.hold());
  await eventually(async () => (await a.run(job('1'))).kind === 'done');
  const long = a.run(job('while (true);'));
  const waiting = [a, a, b].map((scripts) => scripts.run(job('1')));
  const tooMany = await a.run(job('1'));
  assert.ok(tooMany.kind === 'busy' && /more than 4 scripts wait/.test(tooMany.why));
  for (const outcome of await Promise.all(waiting))
    assert.ok(
      outcome.kind === 'busy' && /no thread was free for 100 ms/.test(outcome.why),
      JSON.stringify(outcome),
    );
  // Where the machine gives it too little of a core, that is what it is ended for.
  assert.notEqual((await long).kind, 'done');
});

/** Takes a core for some 50 ms a million, whatever the time. */
const counting = (millions: number): string =>
  `let sum = 0; for (let n = 0; n < ${millions}e6; n += 1) sum += n; context.set('sum', sum);`;

test(
  'a script that has a core for a part of the time has all of its own all the same; without an end it is ended, and past the wait it is busy',
  { skip: platform() !== 'linux' },
  async (t) => {
    const timeoutMs = 300;
    const of = async (waitMsMax: number) => {
      const scripts = startScripts(t, { timeoutMs, waitMsMax, threadsMax: 1 });
      await eventually(async () => (await scripts.run(job('1'))).kind === 'done', { timeoutMs: 30_000 });
      return scripts;
    };
    const [patient, hasty] = [await of(60_000), await of(10)];
    crowd(t, 8);
    const startMs = performance.now();
    const outcome = await patient.run(job(counting(1)));
    const tookMs = performance.now() - startMs;
    assert.equal(outcome.kind, 'done', `after ${tookMs} ms`);
    assert.ok(tookMs > timeoutMs, `it was off its core, and took ${tookMs} ms`);
    const starved = await hasty.run(job(counting(3)));
    assert.deepEqual(starved, { kind: 'busy', why: 'its thread had too little of a core to end' });
    for (const endless of ['while (true);', 'BigInt("9".repeat(100_000)) ** 99_999n'])
      assert.equal((await patient.run(job(endless))).kind, 'timeout', endless);
  },
);

/** Makes this process share one core with so many who always want it, until the test ends. */
function crowd(t: TestContext, others: number): void {
  const before = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const core = String(Number.parseInt(before, 10));
  const stayOn = (cores: string) => execFileSync('taskset', ['-a', '-cp', cores, String(process.pid)]);
  const endless = ['setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', 'for (;;);'];
  const hogs = Array.from({ length: others }, () =>
    spawn('taskset', ['-c', core, ...endless], { stdio: 'ignore' }),
  );
  t.after(() => {
    for (const hog of hogs) hog.kill('SIGKILL');
    stayOn(before);
  });
  stayOn(core);
}

test('what closes says so to whoever waits and to whoever comes', async (t) => {
  const sandbox = startSandbox(t, { threadsMax: 1 });
  const scripts = sandbox.of('a');
  scripts.hold();
  const waiting = [1, 2, 3].map(() => scripts.run(job('1')));
  await sandbox.close();
  for (const outcome of await Promise.all(waiting)) assert.notEqual(outcome.kind, 'done');
  assert.equal((await scripts.run(job('1'))).kind, 'busy');
  assert.equal(sandbox.threads, 0);
});

test('console: what scripts write goes to the log with the API, where it is on, and is bounded', async (t) => {
  const lines: unknown[] = [];
  const note = (level: string) => (fields: object, text: string) => void lines.push([level, fields, text]);
  const log = { info: note('info'), error: note('error'), warn: note('warn') };
  const source =
    "console.log('a', 1); console.error('b'); for (let n = 0; n < 200; n += 1) console.log('x'.repeat(5_000));";
  for (const console of [false, true]) {
    const scripts = startSandbox(t, { console }, log as never).of('shop');
    t.after(scripts.hold());
    assert.equal((await scripts.run(job(source))).kind, 'done');
    assert.equal(lines.length, console ? 100 : 0);
  }
  assert.deepEqual(lines.slice(0, 2), [
    ['info', { api: 'shop', text: 'a 1' }, 'a script says'],
    ['error', { api: 'shop', text: 'b' }, 'a script says'],
  ]);
});
