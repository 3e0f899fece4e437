import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linesIn } from './lines.ts';

test('a place is found by its line in JSON and in YAML, as far as its path is there', () => {
  const json = linesIn(
    '{\n  "api": {\n    "name": "A",\n    "flows": [\n      {},\n      {\n        "request": [{ "policy": "x" }]\n      }\n    ]\n  },\n  "plans": {\n    "p": { "name": "P" }\n  }\n}',
  );
  const rows = [
    ['api.flows[1].request[0].policy', 7],
    ['flows[1].request[0].policy', 7],
    ['flows[1].response', 6],
    ['flows[9]', 4],
    ['plans[0].name', 12],
    ['nothing.at.all', undefined],
    ['', undefined],
  ] as const;
  for (const [path, line] of rows) assert.equal(json(path), line, path);
  const yaml = linesIn(
    'a: 1\n---\nspec:\n  flows:\n    - name: one\n    - name: two\n---\nkind: List\nitems:\n  - b: 1\n  - c: 2\n',
  );
  assert.equal(yaml('spec.flows[1].name', 2), 6);
  assert.equal(yaml('flows[1]', 2), 6);
  assert.equal(yaml('b', 3), 10);
  assert.equal(yaml('c', 4), 11);
  assert.equal(yaml('c', 5), undefined);
  assert.equal(linesIn('{ broken')('a'), undefined);
});
