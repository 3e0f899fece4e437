import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { logFields } from '../../../proto/model/log-record.ts';
import { lineSchema } from '../../../proto/model/record-fields.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { factsOf } from '../../../test/kit/gateway/access-facts.ts';
import { prefix, readRecords, stallingFiles, startTestReporter } from '../../../test/kit/gateway/reporter.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import type { LogFacts, LoggedMessage } from './log-facts.ts';

const body = (text: string) => ({ bytes: Buffer.from(text), total: text.length, cutBy: undefined });
const message: LoggedMessage = {
  method: 'GET',
  uri: '/a',
  status: 200,
  headers: [['A', 'b']],
  body: body('text'),
};

/** A call of which all was said; `given` was given back. */
function logOf(given: { count: number }, over: Partial<LogFacts> = {}): LogFacts {
  return {
    timestampMs: 1_800_000_000_000,
    requestId: 'r',
    transactionId: 't',
    traceId: 'a'.repeat(32),
    errorKey: 'KEY',
    errorMessage: 'failed at //user:pass@host',
    entrypointRequest: message,
    entrypointResponse: message,
    endpointRequest: message,
    endpointResponse: message,
    heads: [],
    secretHeaders: new Set(),
    rules: [],
    release: () => void (given.count += 1),
    ...over,
  };
}

test('a log line has the fields of the table and no others, and what is not known is not there', async (t) => {
  const { reporter, dir } = await startTestReporter(t);
  const given = { count: 0 };
  const recorder = reporter.recorder({ ...prefix, plan: 'p', application: 'app', subscription: 's' });
  recorder.log(logOf(given));
  const nothing = { entrypointRequest: undefined, entrypointResponse: undefined };
  recorder.log(logOf(given, { ...nothing, endpointRequest: undefined, endpointResponse: undefined }));
  const logs = await eventually(async () => {
    const found = await readRecords(dir);
    return found.length === 2 && found;
  });
  assert.equal(given.count, 2, 'the memory of their bodies was given back');
  const strict = lineSchema(logFields).strict();
  for (const log of logs) strict.parse(log);
  const names = Object.keys(logFields).filter((name) => name !== 'span_id');
  assert.deepEqual(Object.keys(logs[0] ?? {}), names, 'in the order of the table');
  assert.equal(logs[0]?.['error_message'], 'failed at //user:***@host');
  assert.deepEqual(
    Object.keys(logs[1] ?? {}),
    names.filter((name) => !/^(?:entry|end)point_/.test(name)),
  );
});

test('a disk that stalls costs logs before records: their memory is bounded apart, what is dropped is said, and no answer waits for a log', async (t) => {
  const flag = join(tempDir(t), 'frozen');
  const filesModule = stallingFiles(flag);
  const logs = { memoryBytesMax: 600_000 };
  const { reporter, dir } = await startTestReporter(
    t,
    { logs: logs as never, spoolHoldMsMax: 50 },
    { filesModule },
  );
  const recorder = reporter.recorder(prefix);
  await recorder.write(factsOf());
  writeFileSync(flag, '');
  const given = { count: 0 };
  const long = { ...message, body: body('x'.repeat(50_000)) };
  for (let n = 0; n < 100; n += 1) recorder.log(logOf(given, { endpointRequest: long }));
  await eventually(() => given.count === 100);
  assert.equal(reporter.health().state, 'ok', 'a log holds nobody up');
  for (let n = 0; n < 50; n += 1) void recorder.write(factsOf());
  const { droppedRecords } = reporter.health();
  assert.ok(droppedRecords > 50, String(droppedRecords));
  rmSync(flag);
  await eventually(
    async () => (await readRecords(dir)).filter(({ type }) => type === 'v4-metrics').length === 51,
  );
  recorder.log(logOf(given));
  const all = await eventually(async () => {
    const found = await readRecords(dir);
    return found.filter(({ type }) => type === 'v4-log').length === 101 - droppedRecords && found;
  });
  const gaps = all.filter(({ type }) => type === 'gap');
  assert.equal(
    gaps.reduce((sum, gap) => sum + Number(gap['dropped']), 0),
    droppedRecords,
  );
});
