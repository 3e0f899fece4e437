import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const schema = JSON.stringify({ type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] });
type Phase = 'request' | 'response';

async function run(configuration: object, body: string, phase: Phase = 'request') {
  const call = startPolicy('json-validation', { schema, ...configuration }, { place: { phase } }).call(
    phase === 'request' ? { body } : {},
  );
  const verdict = phase === 'request' ? await call.pass() : await call.answer({ body });
  const said = verdict?.kind === 'reject' ? [verdict.key, verdict.status, verdict.content?.body] : ['passes'];
  return {
    said,
    warnings: call.warnings,
    type: verdict?.kind === 'reject' ? verdict.content?.type : undefined,
  };
}

test('what fits passes, what does not is refused by phase, with a key for what is no JSON at all', async () => {
  for (const phase of ['request', 'response'] as const) {
    const [infix, status, text] =
      phase === 'request' ? ['', 400, 'Bad Request'] : ['RESPONSE_', 500, 'Internal Error'];
    assert.deepEqual((await run({}, '{"a":1}', phase)).said, ['passes']);
    assert.deepEqual((await run({}, '', phase)).said, ['passes']);
    assert.deepEqual((await run({}, '{"a":"1"}', phase)).said, [
      `JSON_INVALID_${infix}PAYLOAD`,
      status,
      text,
    ]);
    for (const body of ['{', '\u0000', '{"a":1}{}'])
      assert.deepEqual((await run({}, body, phase)).said, [
        phase === 'request' ? 'JSON_INVALID_FORMAT' : 'JSON_INVALID_RESPONSE_FORMAT',
        status,
        text,
      ]);
  }
});

test('the refusal says what the publisher wrote, with its expressions, else the plain text; details only where they are asked for', async () => {
  const own = await run({ errorMessage: 'no {#request.method}' }, '{}');
  assert.deepEqual([own.said[2], own.type], ['no GET', 'text/plain']);
  const failing = await run({ errorMessage: "{#jsonPath(#request.content, '$.x')}" }, '{}');
  assert.equal(failing.said[2], 'Bad Request');
  const detailed = await run({ returnDetailedErrorReport: true }, '{"a":[]}');
  assert.deepEqual(JSON.parse(String(detailed.said[2])), {
    message: 'Bad Request',
    errors: ['/a must be integer'],
  });
  assert.equal(detailed.type, 'application/json');
});

test('an answer that is let pass straight is only warned of', async () => {
  const { said, warnings } = await run({ straightRespondMode: true }, '{}', 'response');
  assert.deepEqual([said, warnings], [['passes'], ['JSON_INVALID_RESPONSE_PAYLOAD']]);
});

test('the schema may stand in schemaSource, with what is written nowhere or twice refused', async () => {
  const { config, faultsIn } = catalog['json-validation'];
  const source = { schemaSource: { sourceType: 'STATIC_SCHEMA', staticSchema: schema } };
  assert.equal((await run({ schema: undefined, ...source }, '{}')).said[0], 'JSON_INVALID_PAYLOAD');
  const pathsOf = (configuration: object, phase: Phase = 'request') =>
    faultsIn?.(config.parse(configuration), phase).map(({ path }) => path);
  assert.deepEqual(pathsOf({}), ['schemaSource']);
  assert.deepEqual(pathsOf({ schema, ...source }), ['schema']);
  assert.deepEqual(pathsOf(source), []);
  assert.deepEqual(pathsOf({ schema, straightRespondMode: true }), ['straightRespondMode']);
  assert.deepEqual(pathsOf({ schema, straightRespondMode: true }, 'response'), []);
});

test('what cannot work is refused when it is deployed, by its path and with what to do', () => {
  const { config } = catalog['json-validation'];
  const whyNot = (configuration: object): string => {
    const [issue] = config.safeParse(configuration).error?.issues ?? [];
    return `${issue?.path.join('.')}: ${issue?.message}`;
  };
  assert.match(
    whyNot({ schema: '{"$ref":"http://x/y"}' }),
    /^schema: \/\$ref refers to "http:\/\/x\/y", which is not in the schema/,
  );
  const registry = { sourceType: 'SCHEMA_REGISTRY_RESOURCE', resourceName: 'r', schemaMapping: '' };
  assert.match(whyNot({ schemaSource: registry }), /^schemaSource.sourceType: must be STATIC_SCHEMA/);
  const kafka = { onPublish: { strategy: 'FAIL_WITH_INVALID_RECORD' } };
  assert.match(
    whyNot({ schema, nativeErrorHandling: kafka }),
    /^nativeErrorHandling: belongs to APIs of Kafka/,
  );
});
