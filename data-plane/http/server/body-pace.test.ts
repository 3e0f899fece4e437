import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BodySink } from '../body.ts';
import { limitDefaults } from '../conformance/stage.ts';
import { type BodyConnection, IncomingBody } from '../message/incoming-body.ts';
import { BodyPace, type PacedExchange } from './body-pace.ts';

const limits = { ...limitDefaults, bodyBytesPerSecondMin: 128, tunnelIdleMsMax: 20_000 };
const nothing = (): void => undefined;
const connection: BodyConnection = {
  pauseBody: nothing,
  resumeBody: nothing,
  onBodyWanted: nothing,
  onBodyWhole: nothing,
  onManyPieces: nothing,
  onBodyUnwanted: nothing,
  onBodyFault: nothing,
};
const sink: BodySink = { onPiece: nothing, onReadEnd: () => true, onEnd: nothing, onBroken: nothing };

/** An exchange whose body somebody reads. */
function upload(): PacedExchange & {
  request: { body: IncomingBody };
  isTwoWay: boolean;
  answerBytes: number;
} {
  const body = new IncomingBody('stream', connection, { ...limits, bodyBytesMax: 1_000_000 });
  body.pipe(sink);
  return { request: { body }, isOver: false, isTwoWay: false, answerBytes: 0 };
}

/** What happens at each look, 100 ms apart; the first fault, with its time, undefined for none in 10 min. */
function faultIn(
  pace: BodyPace,
  exchange: PacedExchange,
  at: (ms: number) => { bytes?: number; isHeldUp?: boolean },
): readonly [string, number] | undefined {
  for (let ms = 0; ms <= 600_000; ms += 100) {
    const { bytes = 0, isHeldUp = false } = at(ms);
    exchange.request.body.feed(Buffer.alloc(bytes), 0, bytes, true);
    const fault = pace.faultOf(exchange, isHeldUp, 1_000 + ms);
    if (fault !== undefined) return [fault, ms];
  }
  return undefined;
}

test('an upload is judged over 5 s by its bytes; while it is held up it is not, and a look later it is again', () => {
  const pace = new BodyPace(limits);
  assert.deepEqual(
    faultIn(pace, upload(), () => ({})),
    ['body-too-slow', 5_000],
  );
  assert.deepEqual(
    faultIn(pace, upload(), (ms) => ({ bytes: ms % 1_000 === 0 ? 127 : 0 })),
    ['body-too-slow', 5_000],
  );
  assert.equal(
    faultIn(pace, upload(), (ms) => ({ bytes: ms % 1_000 === 0 ? 128 : 0 })),
    undefined,
  );
  assert.equal(
    faultIn(pace, upload(), () => ({ isHeldUp: true })),
    undefined,
  );
  assert.deepEqual(
    faultIn(pace, upload(), (ms) => ({ isHeldUp: ms <= 3_000 })),
    ['body-too-slow', 8_000],
  );
  assert.equal(
    faultIn(new BodyPace({ ...limits, bodyBytesPerSecondMin: 0 }), upload(), () => ({})),
    undefined,
  );
});

test('what an upload on the same connection sent before says nothing of the next, whatever lay between', () => {
  const pace = new BodyPace(limits);
  const [first, second, third] = [upload(), upload(), upload()];
  first.request.body.feed(Buffer.alloc(10_000), 0, 10_000, true);
  assert.equal(pace.faultOf(first, false, 1_000), undefined);
  assert.equal(pace.faultOf(second, false, 7_000), undefined);
  assert.equal(pace.faultOf(undefined, false, 7_100), undefined);
  assert.equal(pace.faultOf(third, false, 60_000), undefined);
  assert.equal(pace.faultOf(third, false, 64_900), undefined);
  assert.equal(pace.faultOf(third, false, 65_000), 'body-too-slow');
});

test('an exchange in which both sides speak ends when nothing has moved either way for tunnelIdleMsMax', () => {
  const pace = new BodyPace(limits);
  const silent = { ...upload(), isTwoWay: true };
  assert.deepEqual(
    faultIn(pace, silent, () => ({})),
    ['stream-idle', 20_000],
  );
  assert.equal(
    faultIn(pace, { ...upload(), isTwoWay: true }, (ms) => ({ bytes: ms % 20_000 === 0 ? 1 : 0 })),
    undefined,
  );
  const answered = { ...upload(), isTwoWay: true };
  assert.equal(
    faultIn(pace, answered, (ms) => {
      if (ms % 20_000 === 0) answered.answerBytes += 1;
      return {};
    }),
    undefined,
  );
  // Held up or not: whose backend takes nothing is silent too.
  assert.deepEqual(
    faultIn(pace, { ...upload(), isTwoWay: true }, () => ({ isHeldUp: true })),
    ['stream-idle', 20_000],
  );
});

test('the silence is counted from the answer on, and of a body that is whole or not read nothing is judged', () => {
  const pace = new BodyPace(limits);
  const exchange = upload();
  assert.deepEqual(
    faultIn(pace, exchange, (ms) => {
      exchange.isTwoWay = ms >= 4_900;
      return {};
    }),
    ['stream-idle', 24_900],
  );
  const whole = upload();
  whole.request.body.endWithStream(undefined);
  assert.equal(
    faultIn(pace, whole, () => ({})),
    undefined,
  );
  const body = new IncomingBody('stream', connection, { ...limits, bodyBytesMax: 1_000 });
  assert.equal(
    faultIn(pace, { ...upload(), request: { body } }, () => ({})),
    undefined,
  );
});
