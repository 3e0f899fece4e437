import assert from 'node:assert/strict';
import { test } from 'node:test';

import { noMarks, type Outcome } from '../../http/exchange.ts';
import { stepSettings, type StepSettings } from '../../report/step-settings.ts';
import { marks } from './trail.ts';
import { Trails } from './trails.ts';

const complete = { kind: 'complete', status: 200, requestBytes: 0, responseBytes: 3, totalUs: 50 } as const;

/** Ends a request and says why its steps were written; undefined where they were not. */
function asking(settings: Partial<StepSettings>, chance = 0.5) {
  const trails = new Trails(stepSettings.parse(settings), () => chance);
  return (
    outcome: Partial<Outcome> = {},
    call: { readonly errorKey?: string; readonly endpointUrl?: string; readonly startedAtMs?: number } = {},
    { isStream = false, upstreamHeadUs = 0 } = {},
  ): string | undefined => {
    const exchange = { marks: { ...noMarks(), upstreamHeadUs }, startedMs: performance.now() };
    const trail = trails.begin();
    trail.mark(marks.matched, undefined);
    trail.isStream = isStream;
    const told = trails.end(
      trail,
      {
        deployed: { name: 'api' },
        request: { contextPath: '/a', host: 'h' },
        plan: undefined,
        subscription: undefined,
        keyHash8: undefined,
        errorKey: undefined,
        errorMessage: undefined,
        refusal: undefined,
        endpointUrl: undefined,
        startedAtMs: 1_000,
        exchange,
        ...call,
      },
      { ...complete, ...outcome },
    );
    return told?.for;
  };
}

test('steps are written of what was refused, failed, is slow or sampled, and of nothing else', () => {
  const ask = asking({ slowMs: 1_000 });
  assert.equal(ask(), undefined);
  assert.equal(ask({ status: 401 }, { errorKey: 'API_KEY_MISSING' }), 'refused');
  assert.equal(ask({ status: 404 }, { endpointUrl: 'http://b' }), undefined, 'a backend may say 404');
  assert.equal(ask({ status: 502 }, { endpointUrl: 'http://b' }), 'failed');
  assert.equal(ask({ kind: 'clientAborted', status: 0 }), 'failed');
  assert.equal(ask({ kind: 'upstreamAborted' }), 'failed');
  assert.equal(ask({ totalUs: 999_999 }), undefined);
  assert.equal(ask({ totalUs: 1_000_000 }), 'slow');
  assert.equal(asking({ slowMs: 0 })({ totalUs: 9_000_000 }), undefined);
  assert.equal(asking({ sampledShare: 0.5 }, 0.49)(), 'sampled');
  assert.equal(asking({ sampledShare: 0.5 }, 0.5)(), undefined);
});

test('a stream is slow by when it was answered, not by how long it flowed', () => {
  const ask = asking({ slowMs: 1_000 });
  const long = { totalUs: 60_000_000 };
  assert.equal(ask(long, {}, { isStream: true, upstreamHeadUs: 999_999 }), undefined);
  assert.equal(ask(long, {}, { isStream: true, upstreamHeadUs: 1_000_000 }), 'slow');
});

test('no more lists are written in a second than is allowed, and refused callers leave half of them to others', () => {
  const ask = asking({ perSecondMax: 4 });
  const refused = { errorKey: 'API_KEY_MISSING' };
  const reasons = [refused, refused, refused, {}, {}, {}].map((call) =>
    ask({ status: call === refused ? 401 : 500 }, call),
  );
  assert.deepEqual(reasons, ['refused', 'refused', undefined, 'failed', 'failed', undefined]);
  assert.equal(ask({ status: 500 }, { startedAtMs: 2_000 }), 'failed', 'the next second has its own');
});

test('a trail that is used again remembers nothing of the request before', () => {
  const trails = new Trails(stepSettings.parse({}));
  const trail = trails.begin();
  for (let count = 0; count < 300; count += 1) trail.mark(marks.passed, { kind: 'mock', at: 'flows[0]' });
  assert.equal(trail.left, 44);
  trail.end();
  assert.deepEqual([trail.count, trail.left, [...trail.read(0)]], [0, 0, []]);
});
