import assert from 'node:assert/strict';
import { test } from 'node:test';

import { builtIns } from '../../../proto/freemarker/built-ins/index.ts';
import { compileContent } from '../../../proto/freemarker/template.ts';
import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { constructs, firstExample, refusedConstructs } from './constructs.ts';

for (const { title, rows } of constructs)
  test(`templates: ${title}, each as the reference says`, () => {
    for (const [construct, template, gives] of rows) {
      const compiled = compileContent(template);
      assert.ok(!('kind' in compiled), `${construct}: ${template}`);
      assert.deepEqual(compiled.render(expressionScope()), { kind: 'value', value: gives }, construct);
    }
  });

test('the first example of the reference makes JSON, with the header that it names and without', () => {
  const scope = expressionScope();
  const content = Buffer.from('{"id": 1234, "lines": [{"sku": "a1"}, {"sku": "b2"}]}');
  const made = (tenant: readonly string[]): unknown => {
    const headers = { get: () => tenant[0], getAll: () => tenant, forEach: () => undefined };
    const compiled = compileContent(firstExample);
    assert.ok(!('kind' in compiled));
    const rendered = compiled.render({ ...scope, request: { ...scope.request, headers, content } });
    assert.equal(rendered.kind, 'value');
    return JSON.parse(rendered.value);
  };
  const rest = { id: '1234', plan: 'gold', lines: [{ sku: 'a1' }, { sku: 'b2' }] };
  assert.deepEqual(made(['acme']), { ...rest, tenant: 'acme' });
  assert.deepEqual(made([]), { ...rest, tenant: 'none' });
});

test('every built-in stands in the reference of templates', () => {
  const shown = constructs.flatMap(({ rows }) => rows.map(([construct]) => construct));
  assert.deepEqual(
    [...builtIns.keys()].filter((name) => !shown.includes(`?${name}`)),
    [],
  );
});

test('what is refused is refused by its name, with what to do instead', () => {
  for (const [construct, instead] of refusedConstructs) {
    const template = construct.startsWith('<')
      ? `${construct.slice(0, -1)} x>`
      : `\${${construct.startsWith('?') ? 'x' : ''}${construct}}`;
    const compiled = compileContent(template);
    assert.ok('kind' in compiled, construct);
    assert.match(compiled.message, /^line 1, character \d+: /);
    assert.ok(
      compiled.message.endsWith(`: ${construct} is not supported by this version: ${instead}`),
      compiled.message,
    );
  }
});
