import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { call } from '../../../test/kit/gateway/gateway.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import { refusals } from '../errors/refusals.ts';
import { refuse } from './answer.ts';
import { answerInstead, goOn, resume, type Stage } from './stage.ts';
import { ways } from './ways.ts';

/** A gateway whose ways have a stage more: before plans are asked, where an organization's flows stand, or as the last before the answer. */
async function startWith(t: TestContext, stage: Stage, at: 'request' | 'answer') {
  const [takeIn, ...rest] = ways.proxy.request;
  const request = takeIn === undefined ? [] : [takeIn, stage, ...rest];
  const answer = [...ways.proxy.answer.slice(0, -1), stage, ...ways.proxy.answer.slice(-1)];
  const proxy = at === 'request' ? { ...ways.proxy, request } : { ...ways.proxy, answer };
  return startServingParts(t, { api: {} }, { ways: { proxy }, timeoutMs: 400 });
}

const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a stage before plans are asked goes on, now or after a wait, and the backend hears what it changed', async (t) => {
  const mark: Stage = (request) => {
    assert.equal(request.plan, undefined);
    request.request.headers.set('X-Stage', 'seen');
    if (request.request.pathInfo === '/now') goOn(request);
    else resume(request, Promise.resolve(), () => goOn(request));
  };
  const { backend, port } = await startWith(t, mark, 'request');
  for (const path of ['/api/now', '/api/later']) {
    const asked = call(port, path);
    const peer = await backend.next();
    await peer.until('\r\n\r\n');
    assert.match(peer.text, /\r\nX-Stage: seen\r\n/, path);
    peer.write(whole.replace('\r\n', '\r\nConnection: close\r\n'));
    peer.leave('fin');
    assert.equal((await asked).text, 'ok');
  }
});

test('a stage refuses, answers in the place of the backend, or breaks, and the backend is not asked', async (t) => {
  const stage: Stage = (request) => {
    const { pathInfo } = request.request;
    if (pathInfo === '/refuse') return refuse(request, refusals.noFlow);
    if (pathInfo === '/answer')
      return answerInstead(request, { kind: 'answer', status: 202, headers: [], body: 'here' });
    if (pathInfo === '/late') return resume(request, Promise.reject(new Error('a bug')), () => undefined);
    throw new Error('a bug');
  };
  const { backend, port, logged } = await startWith(t, stage, 'request');
  const statuses = [];
  for (const path of ['refuse', 'answer', 'late', 'throw'])
    statuses.push((await call(port, `/api/${path}`)).status);
  assert.deepEqual(statuses, [404, 202, 500, 500]);
  assert.equal(backend.accepted(), 0);
  assert.equal(logged.length, 2);
});

test('what waits in a stage waits until the deadline of its request, wherever it stands', async (t) => {
  const never: Stage = (request) => resume(request, new Promise(() => undefined), () => goOn(request));
  const before = await startWith(t, never, 'request');
  assert.equal((await call(before.port, '/api')).status, 504);
  assert.equal(before.backend.accepted(), 0);
  const after = await startWith(t, never, 'answer');
  const asked = call(after.port, '/api');
  (await after.backend.next()).write(whole);
  assert.equal((await asked).status, 504);
});

test('a stage of the answer sees and changes what is sent', async (t) => {
  const stage: Stage = (request) => {
    assert.equal(request.answerHead?.status, 200);
    request.answerHead?.headers.set('X-Stage', 'seen');
    goOn(request);
  };
  const { backend, port } = await startWith(t, stage, 'answer');
  const asked = call(port, '/api');
  (await backend.next()).write(whole);
  assert.equal((await asked).headers['x-stage'], 'seen');
});
