import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../proto/model/redaction.ts';
import { type RecordedStep, StepList, stepLists } from '../../proto/model/records/step-list.ts';
import { AccessRecord, accessFields } from '../../proto/model/access-record.ts';
import { factsOf } from '../../test/kit/gateway/access-facts.ts';
import type { AccessFacts, RecordPrefix } from './facts.ts';
import { createLineWriter } from './line.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\n', '\u2028', '\ud800', '\udc00x', '\u007f', '\u0000', 'é', '😀', '</script>'),
);
const optional = fc.option(text, { nil: undefined });
const count = fc.nat({ max: 2 ** 40 });

const prefixes: fc.Arbitrary<RecordPrefix> = fc.record({
  organization: text,
  environment: text,
  api: text,
  apiName: text,
  apiRevision: fc.option(count, { nil: undefined }),
  seq: fc.option(count, { nil: undefined }),
  plan: optional,
  application: optional,
  subscription: optional,
  securityType: optional,
  entrypoint: optional,
});
const steps: fc.Arbitrary<RecordedStep> = fc
  .record({ place: optional, said: optional, from_us: count, took_us: count })
  .map((step) => ({ phase: 'request', step: 'mock', decision: 'passed', ...step }));
const facts: fc.Arbitrary<AccessFacts> = fc.record({
  timestampMs: count,
  requestId: text,
  transactionId: text,
  keyHash8: optional,
  method: text,
  host: text,
  uri: text,
  pathInfo: optional,
  mappedPath: optional,
  status: fc.nat({ max: 599 }),
  requestBytes: count,
  responseBytes: count,
  totalUs: fc.oneof(count, fc.double()),
  endpoint: optional,
  endpointUs: fc.oneof(count, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1.5, -0)),
  endpointConnectUs: count,
  endpointTtfbUs: count,
  remoteAddress: text,
  localAddress: text,
  userAgent: optional,
  errorKey: optional,
  errorMessage: optional,
  warnings: optional,
  customMetrics: fc.option(
    fc.array(fc.tuple(text, text), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    { nil: undefined },
  ),
  steps: fc.option(
    fc.array(steps, { maxLength: 3 }).map((list) => ({ for: 'slow' as const, steps: list })),
    { nil: undefined },
  ),
  outcome: fc.constantFrom('complete', 'clientAborted', 'upstreamAborted', 'refused'),
});

/** One of a list of steps. */
const step = (more: Partial<RecordedStep> = {}): RecordedStep => ({
  phase: 'request',
  step: 'mock',
  from_us: 1,
  took_us: 2,
  decision: 'passed',
  ...more,
});

const fieldNames = Object.keys(accessFields);

test('every field of the table is written, in its order, as what its column holds', () => {
  const write = createLineWriter(
    { gateway: 'g', redactor: createRedactor() },
    {
      organization: 'o',
      environment: 'e',
      api: 'a',
      apiName: 'A',
      apiRevision: 3,
      seq: 7,
      plan: 'p',
      application: 'app',
      subscription: 's',
      securityType: 'API_KEY',
      entrypoint: 'http-proxy',
    },
  );
  const given = {
    mappedPath: '/m',
    errorKey: 'E',
    errorMessage: 'failed',
    warnings: '[]',
    customMetrics: new Map([['m', '1']]),
    steps: { for: 'failed', steps: [step()] } as const,
  };
  const record = new Map(Object.entries(JSON.parse(write(factsOf(given))) as object));
  assert.deepEqual([...record.keys()], fieldNames);
  for (const [name, { column }] of Object.entries(accessFields))
    assert.equal(typeof record.get(name), column === 'text' ? 'string' : 'number', name);
  const bare = createLineWriter(
    { gateway: 'g', redactor: createRedactor() },
    { organization: 'o', environment: 'e', api: 'a', apiName: 'A' },
  );
  const nothing = {
    keyHash8: undefined,
    pathInfo: undefined,
    endpoint: undefined,
    userAgent: undefined,
  };
  const least = Object.keys(JSON.parse(bare(factsOf(nothing))) as object);
  assert.deepEqual(
    least,
    fieldNames.filter((name) => !AccessRecord.shape[name as keyof typeof accessFields].isOptional()),
    'what the table calls optional is left out, and nothing else',
  );
});

test('a line is one line of JSON that says what it was given, whatever the texts hold', () => {
  fc.assert(
    fc.property(text, prefixes, facts, (gateway, prefix, given) => {
      const line = createLineWriter({ gateway, redactor: createRedactor() }, prefix)(given);
      assert.ok(line.endsWith('}\n'));
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.ok(line.isWellFormed());
      const record = AccessRecord.strict().parse(JSON.parse(line));
      assert.equal(record.uri, given.uri);
      assert.equal(record.api_name, prefix.apiName);
      assert.equal(record.user_agent, given.userAgent);
      assert.equal(record.warnings, given.warnings);
      assert.equal(record.org_id, prefix.organization);
      assert.equal(record.timestamp, given.timestampMs);
      const names = Object.keys(JSON.parse(line));
      assert.deepEqual(
        names,
        fieldNames.filter((name) => names.includes(name)),
        'in the order of the table, none that it does not have',
      );
    }),
    { numRuns: 500 },
  );
});

test('a key in a target, an endpoint or a message is on no line, whoever answered', () => {
  const redactor = createRedactor(['meinSchluessel']);
  const write = createLineWriter(
    { gateway: 'g', redactor },
    { organization: 'o', environment: 'e', api: 'a', apiName: 'A' },
  );
  const line = write(
    factsOf({
      uri: '/nowhere?%61pi-key=SECRET&meinSchluessel=SECRET&kept=1',
      pathInfo: '/a;token=SECRET',
      mappedPath: '/b%3Ftoken=SECRET',
      endpoint: 'http://user:SECRET@backend/x?token=SECRET',
      errorMessage: 'Request to http://user:SECRET@backend/?token=SECRET failed',
      warnings: '[{"key":"A","message":"Bearer SECRETSECRET at /x?api-key=SECRET"}]',
      customMetrics: new Map([
        ['target', '/x?api-key=SECRET'],
        ['access_token', 'SECRET'],
        ['__proto__', 'own'],
      ]),
      steps: { for: 'failed', steps: [step({ said: 'one, http://user:SECRET@backend/?api-key=SECRET' })] },
    }),
  );
  assert.doesNotMatch(line, /SECRET/);
  const record = AccessRecord.parse(JSON.parse(line));
  assert.equal(record.uri, '/nowhere?%61pi-key=***&meinSchluessel=***&kept=1');
  assert.equal(record.warnings, '[{"key":"A","message":"Bearer *** at /x?api-key=***"}]');
  assert.equal(record.custom_metrics, '{"target":"/x?api-key=***","access_token":"***","__proto__":"own"}');
});

test('a list of steps is what its schema says and within its bound, whatever the texts hold', () => {
  const write = createLineWriter(
    { gateway: 'g', redactor: createRedactor() },
    { organization: 'o', environment: 'e', api: 'a', apiName: 'A' },
  );
  const written = (list: StepList): StepList => {
    const { steps: text = '' } = AccessRecord.parse(JSON.parse(write(factsOf({ steps: list }))));
    assert.ok(Buffer.byteLength(text) <= stepLists.bytesMax);
    return StepList.parse(JSON.parse(text));
  };
  const wide = step({ place: '\ud83d\ude00'.repeat(500), said: '\u20ac"'.repeat(500) });
  const [one] = written({ for: 'slow', steps: [wide] }).steps;
  assert.equal(one?.said?.length, stepLists.saidCharsMax);
  assert.equal(one?.place?.length, stepLists.placeCharsMax);
  const all = written({ for: 'slow', steps: Array.from({ length: stepLists.stepsMax }, () => wide) });
  assert.equal(all.steps.length, stepLists.stepsMax);
  assert.deepEqual(all.steps[0], step(), 'times are kept where words find no room');
});
