import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lingering } from './conformance/transforms.ts';
import {
  type Body,
  bodyOf,
  type BodySink,
  type BodySource,
  type BodyTransform,
  createBody,
  transformBody,
  type TransformMaker,
} from './exchange.ts';

/** What a sink heard, in order; it takes more while `takes` says so. */
function createListener(takes: () => boolean = () => true) {
  const heard: string[] = [];
  const sink: BodySink = {
    // oxlint-disable-next-line max-params -- BodySink's
    onPiece: (bytes, start, end) => void heard.push(bytes.toString('latin1', start, end)),
    onReadEnd: takes,
    onEnd: () => void heard.push('end'),
    onBroken: (cause) => void heard.push(`broken: ${cause.message}`),
  };
  return { heard, sink };
}

/** A body whose source the test plays. */
function createPlayed(length?: number) {
  const told: string[] = [];
  const played: { sink: BodySink | undefined; readonly told: string[]; readonly body: Body } = {
    sink: undefined,
    told,
    body: createBody({
      length,
      start(sink) {
        played.sink = sink;
        return { resume: () => void told.push('resume'), cancel: () => void told.push('cancel') };
      },
      discard: () => void told.push('discard'),
    } satisfies BodySource),
  };
  return played;
}

const give = (sink: BodySink | undefined, text: string): void =>
  sink?.onPiece(Buffer.from(text), 0, text.length, true);

test('a body is consumed once, whether it was piped, read whole or let go', () => {
  for (const consume of [
    (body: Body) => void body.pipe(createListener().sink),
    (body: Body) => void body.buffer(10),
    (body: Body) => body.discard(),
  ]) {
    const body = bodyOf(Buffer.from('abc'));
    consume(body);
    assert.throws(() => body.pipe(createListener().sink), /consumed once/);
  }
});

test('nothing is heard behind an end, a break or a cancel, and a source is cancelled only by who reads', () => {
  const rows: readonly (readonly [string, (sink: BodySink) => void, string, readonly string[]])[] = [
    ['end', (sink) => sink.onEnd(undefined), 'end', []],
    ['break', (sink) => sink.onBroken(new Error('x')), 'broken: x', []],
  ];
  for (const [what, finish, last, told] of rows) {
    const played = createPlayed();
    const { heard, sink } = createListener();
    const flow = played.body.pipe(sink);
    give(played.sink, 'a');
    if (played.sink !== undefined) finish(played.sink);
    give(played.sink, 'b');
    played.sink?.onEnd(undefined);
    played.sink?.onBroken(new Error('y'));
    flow.resume();
    flow.cancel();
    assert.deepEqual([heard, played.told], [['a', last], told], what);
  }
  const cut = createPlayed();
  const { heard, sink } = createListener();
  const flow = cut.body.pipe(sink);
  flow.cancel();
  flow.cancel();
  give(cut.sink, 'a');
  cut.sink?.onEnd(undefined);
  assert.deepEqual([heard, cut.told], [[], ['cancel']]);
});

test('a source that gives another length than it said is cancelled and broken, also while it starts', () => {
  const late = createPlayed(2);
  const lateHeard = createListener();
  late.body.pipe(lateHeard.sink);
  give(late.sink, 'abc');
  assert.deepEqual(
    [lateHeard.heard, late.told],
    [['broken: more came than the 2 bytes that were said'], ['cancel']],
  );
  const short = createPlayed(2);
  const shortHeard = createListener();
  short.body.pipe(shortHeard.sink);
  give(short.sink, 'a');
  short.sink?.onEnd(undefined);
  assert.deepEqual(shortHeard.heard, ['a', 'broken: 1 bytes came of the 2 that were said']);
  let cancels = 0;
  const early = createBody({
    length: 1,
    start(sink) {
      give(sink, 'ab');
      return { resume: () => undefined, cancel: () => void (cancels += 1) };
    },
  });
  early.pipe(createListener().sink);
  assert.equal(cancels, 1);
});

test('a body that is known to be empty stays itself: no transform is made for it', () => {
  const empty = bodyOf(Buffer.alloc(0));
  assert.equal(
    transformBody(empty, () => assert.fail('made')),
    empty,
  );
});

test('a transform asks for more by `resume`, also before its body flows; who reads is not asked for more than he takes', async () => {
  const played = createPlayed();
  let takesMore = false;
  const { heard, sink } = createListener(() => takesMore);
  const flow = transformBody(played.body, (to, from) => {
    from.resume();
    return lingering('!')(to, from);
  }).pipe(sink);
  assert.deepEqual(played.told, ['resume']);
  give(played.sink, 'a');
  assert.equal(played.sink?.onReadEnd(), false);
  await new Promise(setImmediate);
  assert.deepEqual([heard, played.told], [['a'], ['resume']], 'who reads is full');
  takesMore = true;
  flow.resume();
  assert.deepEqual(played.told, ['resume', 'resume']);
  played.sink?.onEnd(undefined);
  await new Promise(setImmediate);
  assert.deepEqual(heard, ['a', '!', 'end']);
});

test('what a transform gives when it is cut goes nowhere, lest it complete a body that was broken off', () => {
  for (const length of [undefined, 3]) {
    const played = createPlayed();
    const { heard, sink } = createListener();
    const flushing: TransformMaker = (to) => ({
      onPiece: to.onPiece.bind(to),
      onCut() {
        give(to, 'bc');
        to.onReadEnd();
        to.onEnd(undefined);
        to.onBroken(new Error('its own'));
      },
    });
    transformBody(played.body, flushing, { length }).pipe(sink);
    give(played.sink, 'a');
    played.sink?.onBroken(new Error('the sender broke off'));
    assert.deepEqual(heard, ['a', 'broken: the sender broke off']);
  }
});

test('what a transform throws in any of its calls is told once; then its body is broken and the one in front let go', () => {
  const bug = new Error('a bug');
  const fail = (): never => {
    throw bug;
  };
  const pass = (): undefined => undefined;
  const rows: Readonly<Record<string, Partial<BodyTransform> | undefined>> = {
    'while it is made': undefined,
    onPiece: { onPiece: fail },
    onReadEnd: { onReadEnd: fail },
    onEnd: { onEnd: fail },
    resume: { resume: fail },
  };
  for (const [what, transform] of Object.entries(rows)) {
    const played = createPlayed();
    const thrown: unknown[] = [];
    const { heard, sink } = createListener();
    const make = (): BodyTransform => ({ onPiece: pass, ...(transform ?? fail()) });
    const flow = transformBody(played.body, make, { onThrown: (error) => thrown.push(error) }).pipe(sink);
    give(played.sink, 'a');
    played.sink?.onReadEnd();
    flow.resume();
    played.sink?.onEnd(undefined);
    assert.deepEqual(thrown, [bug], what);
    assert.deepEqual(heard, ['broken: what it passed through threw'], what);
    const letGo = what === 'while it is made' ? 'discard' : 'cancel';
    assert.equal(played.told.includes(letGo), what !== 'onEnd', `${what}: ${played.told.join()}`);
  }
  const untold = createPlayed();
  transformBody(untold.body, () => ({ onPiece: fail })).pipe(createListener().sink);
  assert.throws(() => give(untold.sink, 'a'), bug, 'without anybody who hears, whoever feeds the body does');
});
