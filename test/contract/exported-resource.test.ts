import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { wantedOf } from '../../control-plane/management/definitions/wanted.ts';
import { documentOf, kindOf, resourceOf } from '../../control-plane/ui/pages/apis/transfer/documents.ts';
import { consoleExport } from '../../proto/definition/console-fixture.ts';
import type { Json } from '../../proto/definition/opened.ts';

/*
 * What the console writes as a custom resource is read by the import, and says what the export says that it was made of.
 */

const exported: Json = {
  ...consoleExport,
  plans: consoleExport.plans.map((plan, at) => ({ id: `plan-${at}`, ...plan })),
};

test('a custom resource that was exported wants what the export wants', () => {
  const resource = resourceOf(exported);
  assert.equal(resource['kind'], 'ApiV4Definition');
  assert.deepEqual(resource['metadata'], { name: 'tide-tables' });
  const written = parse(stringify(resource)) as Json;
  assert.deepEqual(wantedOf(written), wantedOf(exported));
});

test('a text is read as JSON or as YAML, and an OpenAPI document is known by its first word', async () => {
  assert.deepEqual(await documentOf('{"api": {"name": "a"}}'), { api: { name: 'a' } });
  assert.deepEqual(await documentOf('kind: ApiV4Definition\nspec:\n  name: a\n'), {
    kind: 'ApiV4Definition',
    spec: { name: 'a' },
  });
  for (const wrong of ['[1]', '{"api":', 'a text', '- 1', 'a: [1'])
    await assert.rejects(documentOf(wrong), Error, wrong);
  for (const text of ['openapi: 3.1.0', '{"swagger": "2.0"}', '\n{\n  "openapi": "3.0.3",'])
    assert.equal(kindOf(text), 'openapi', text);
  assert.equal(kindOf('{"api": {"description": "openapi"}}'), 'definition');
});
