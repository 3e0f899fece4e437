import assert from 'node:assert/strict';
import test from 'node:test';

import { createMetrics } from './metrics.ts';

test('two rooms that name the same family count into one', async () => {
  const metrics = createMetrics();
  metrics.counter('isthmus_gateway_requests_total', 'Requests.', ['api']).inc({ api: 'a' });
  metrics.counter('isthmus_gateway_requests_total', 'Requests.', ['api']).inc({ api: 'a' });
  metrics.gauge('isthmus_spool_bytes', 'Bytes in the spool.').set(7);
  metrics.histogram('isthmus_gateway_seconds', 'Time.', [0.1, 1]).observe(0.5);
  const text = await metrics.text();
  assert.match(text, /isthmus_gateway_requests_total\{api="a"\} 2/);
  assert.match(text, /isthmus_spool_bytes 7/);
  assert.match(text, /isthmus_gateway_seconds_bucket\{le="1"\} 1/);
});

test('registries do not share numbers', async () => {
  createMetrics().counter('isthmus_a_total', 'A.').inc();
  assert.doesNotMatch(await createMetrics().text(), /isthmus_a_total/);
});

test('a name outside the scheme is a bug', () => {
  assert.throws(() => createMetrics().counter('requests', 'Requests.'), /isthmus_<room>_<what>/);
});

test('figures of the process come on wish', async () => {
  assert.match(await createMetrics({ withProcess: true }).text(), /process_cpu_seconds_total/);
});
