import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition } from '../../../test/kit/gateway/gateway.ts';
import { everything, startLoggingGateway } from '../../../test/kit/gateway/logging-gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const known = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

test('the context of a trace reaches the backend as it came, and one is begun where there is none that can be read', async (t) => {
  const { url } = await startUpstream(t);
  const tracing = { enabled: true, verbose: false };
  const gateway = await startLoggingGateway(t, {
    apis: {
      traced: apiDefinition('traced', url, { analytics: { tracing, logging: everything } }),
      plain: apiDefinition('plain', url, { analytics: { tracing: { enabled: false } } }),
      off: apiDefinition('off', url, { analytics: { enabled: false, tracing } }),
    },
  });
  const ask = async (path: string, headers: Readonly<Record<string, string | readonly string[]>> = {}) => {
    const answer = await gateway.call(path, { headers });
    assert.equal(answer.status, 200);
    return { answer, sent: (JSON.parse(answer.text) as { headers: Record<string, string> }).headers };
  };
  const later = `01-${'a'.repeat(32)}-${'b'.repeat(16)}-00-more`;
  for (const traceparent of [known, later]) {
    const { answer, sent } = await ask('/traced', { traceparent, tracestate: 'x=1' });
    assert.deepEqual([sent['traceparent'], sent['tracestate']], [traceparent, 'x=1']);
    assert.equal((await gateway.logOf(answer))['trace_id'], 'a'.repeat(32));
  }
  const unreadable: readonly (string | readonly string[] | undefined)[] = [
    undefined,
    '',
    'nonsense',
    known.toUpperCase(),
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    `${known}-more`,
    [known, known],
  ];
  const begun = new Set<string>();
  for (const traceparent of unreadable) {
    const headers = traceparent === undefined ? {} : { traceparent };
    const { answer, sent } = await ask('/traced', { ...headers, tracestate: 'x=1' });
    const [, traceId] = /^00-([\da-f]{32})-[\da-f]{16}-01$/.exec(sent['traceparent'] ?? '') ?? [];
    assert.ok(
      traceId !== undefined && traceId !== 'a'.repeat(32),
      `${String(traceparent)}: ${sent['traceparent']}`,
    );
    assert.equal(sent['tracestate'], undefined, 'what was said of another trace goes with it');
    assert.equal((await gateway.logOf(answer))['trace_id'], traceId);
    begun.add(traceId);
  }
  assert.equal(begun.size, unreadable.length, 'each request has its own');
  for (const path of ['/plain', '/off']) {
    assert.equal((await ask(path)).sent['traceparent'], undefined);
    assert.equal((await ask(path, { traceparent: 'nonsense' })).sent['traceparent'], 'nonsense');
  }
});
