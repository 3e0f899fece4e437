import assert from 'node:assert/strict';
import test from 'node:test';

import { addMetrics, boundMetrics, createMetrics, lastingMetrics } from './metrics.ts';

test('two rooms that name the same family count into one', async () => {
  const metrics = createMetrics();
  metrics.counter('isthmus_gateway_requests_total', 'Requests.', ['api']).inc({ api: 'a' });
  metrics.counter('isthmus_gateway_requests_total', 'Requests.', ['api']).inc({ api: 'a' });
  metrics.gauge('isthmus_spool_bytes', 'Bytes in the spool.').set(7);
  metrics.histogram('isthmus_gateway_seconds', 'Time.', [0.1, 1]).series().observe(0.5);
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

test('metrics of several processes add up by name and labels: counters, gauges, histograms', async () => {
  const processes = [1, 2, 3].map((n) => {
    const metrics = createMetrics();
    metrics.counter('isthmus_a_total', 'A.', ['class']).inc({ class: n === 3 ? '5xx' : '2xx' }, n);
    metrics.gauge('isthmus_a_open', 'Open.').set(n);
    metrics.histogram('isthmus_a_seconds', 'Time.', [1, 2]).series().observe(n);
    return metrics;
  });
  const [own, ...others] = processes;
  assert.ok(own);
  const snapshots = await Promise.all(others.map((metrics) => metrics.snapshot()));
  // They travel between processes.
  const text = await own.text(structuredClone(snapshots));
  for (const line of [
    'isthmus_a_total{class="2xx"} 3',
    'isthmus_a_total{class="5xx"} 3',
    'isthmus_a_open 6',
    'isthmus_a_seconds_bucket{le="1"} 1',
    'isthmus_a_seconds_bucket{le="2"} 2',
    'isthmus_a_seconds_bucket{le="+Inf"} 3',
    'isthmus_a_seconds_sum 6',
    'isthmus_a_seconds_count 3',
    '# TYPE isthmus_a_seconds histogram',
  ])
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
  assert.equal(await own.text([]), await own.text());
});

test('of states the highest counts over several processes, and one program is one, however many there are', async () => {
  const [own, ...others] = [0, 1, 1].map((state) => {
    const metrics = createMetrics({ build: { process: 'gateway', version: '1.2.3' } });
    metrics.gauge('isthmus_a_degraded', '1 while it is.', [], 'max').set(state);
    return metrics;
  });
  const snapshots = await Promise.all(others.map((metrics) => metrics.snapshot()));
  const text = (await own?.text(structuredClone(snapshots))) ?? '';
  assert.match(text, /^isthmus_a_degraded 1$/m);
  assert.match(text, /^isthmus_build_info\{process="gateway",version="1\.2\.3",node="[\d.]+"\} 1$/m);
});

test('what lasts of a process that has ended are its counts, not its gauges', async () => {
  const metrics = createMetrics({ withProcess: true });
  metrics.counter('isthmus_a_total', 'A.').inc(2);
  metrics.gauge('isthmus_a_open', 'Open.').set(7);
  const lasting = lastingMetrics(await metrics.snapshot());
  const text = await createMetrics().text([await addMetrics([lasting, lasting])]);
  assert.match(text, /^isthmus_a_total 4$/m);
  assert.doesNotMatch(text, /isthmus_a_open|process_resident_memory_bytes/);
});

test('the values of a label are kept few: what is past the bound is added up under one word', async () => {
  const metrics = createMetrics();
  const family = metrics.histogram('isthmus_a_seconds', 'Time.', [1], ['api', 'plan']);
  for (const api of ['a', 'b', 'other', 'c', 'd']) family.series(api, 'p').observe(1);
  metrics.counter('isthmus_a_total', 'A.').inc(2);
  const bound = { label: 'api', valuesMax: 2, rest: 'other', under: ['plan'] };
  const text = await createMetrics().text([await boundMetrics(await metrics.snapshot(), bound)]);
  const counts = text.split('\n').filter((line) => line.startsWith('isthmus_a_seconds_count'));
  assert.deepEqual(counts.toSorted(), [
    'isthmus_a_seconds_count{api="a",plan="p"} 1',
    'isthmus_a_seconds_count{api="b",plan="p"} 1',
    'isthmus_a_seconds_count{api="other",plan="other"} 2',
    'isthmus_a_seconds_count{api="other",plan="p"} 1',
  ]);
  assert.match(text, /^isthmus_a_total 2$/m);
});

test('a series that has counted nothing, or that was removed, is not shown', async () => {
  const metrics = createMetrics();
  const family = metrics.histogram('isthmus_a_seconds', 'Time.', [1], ['api']);
  family.series('idle');
  family.series('gone').observe(1);
  family.remove(family.series('gone'));
  assert.equal(family.series('busy'), family.series('busy'));
  family.series('busy').observe(2);
  assert.deepEqual(
    (await metrics.text()).split('\n').filter((line) => line.includes('_count')),
    ['isthmus_a_seconds_count{api="busy"} 1'],
  );
});
