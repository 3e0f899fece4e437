import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { type Kind, kindOf, kinds, kindWords } from './kinds.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}
const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../control-plane/doors/openapi/management.json'), 'utf8'),
) as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** Parameters have other names there, so that only where they stand is compared. */
const shapeOf = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}');
const operations = new Map(Object.entries(document.paths).map(([path, methods]) => [shapeOf(path), methods]));
const operationOf = (path: string, method: string): Operation | undefined =>
  operations.get(shapeOf(`/management${path}`))?.[method];

const methodsOf = ({
  list,
  one,
  create,
  update,
  canDelete,
  moves,
  deployment,
}: Kind): readonly (readonly [string, string])[] => [
  [list, 'get'],
  [one, 'get'],
  ...(create === undefined ? [] : [[create, 'post'] as const]),
  ...(update === undefined ? [] : [[update, 'put'] as const]),
  ...(canDelete === true ? [[one, 'delete'] as const] : []),
  ...Object.values(moves?.to ?? {}).map((path) => [`${one}${path}`, 'post'] as const),
  ...['MANUAL', 'DYNAMIC'].flatMap((type) =>
    (deployment?.({ type }) ?? []).map(({ path }) => [`${one}${path}`, 'post'] as const),
  ),
];

test('every path of every kind is an operation of the management API', () => {
  for (const kind of kinds)
    for (const [path, method] of methodsOf(kind))
      assert.ok(operationOf(path, method) !== undefined, `${kind.name}: ${method} ${path}`);
});

test('every parameter of a list is one that it has, and a list of pages is read in pages', () => {
  for (const { name, list, pageSize, search, asked = {} } of kinds) {
    const parameters = (operationOf(list, 'get')?.parameters ?? []).map((each) => each.name);
    for (const wanted of [pageSize, search, ...Object.keys(asked)])
      if (wanted !== undefined) assert.ok(parameters.includes(wanted), `${name}: ${wanted}`);
    assert.equal(parameters.includes('page'), pageSize !== undefined, `${name}: page`);
  }
});

test('a kind is found in singular, plural and short, in whatever case; a slip is told what was meant', () => {
  assert.equal(new Set(kindWords).size, kindWords.length);
  for (const word of ['sharedPolicyGroup', 'SHARED-POLICY-GROUPS', 'spg', 'shared_policy_group'])
    assert.equal(kindOf(word).name, 'shared-policy-group');
  assert.throws(() => kindOf('plnas'), /config\.invalid.*plnas/);
  assert.throws(() => kindOf('__proto__'), /config\.invalid/);
});
