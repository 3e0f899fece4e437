import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsOf, rowsOf } from './waterfall-rows.ts';

const step = (
  phase: 'entry' | 'request' | 'around' | 'backend' | 'response' | 'answer',
  id: string,
  times: [number, number],
) => ({ phase, step: id, decision: 'passed', fromUs: times[0], tookUs: times[1] }) as const;

const list = [
  step('entry', 'match', [0, 10]),
  step('request', 'rate-limit', [10, 20]),
  step('around', 'cache', [30, 5]),
  step('backend', 'endpoint', [35, 1]),
  step('backend', 'first-byte', [36, 900]),
  step('response', 'json-to-json', [936, 4]),
  step('backend', 'body', [940, 50]),
  step('answer', 'answer', [990, 10]),
];

test('steps stand in groups as they follow each other, and what a group took is what its steps took', () => {
  const groups = groupsOf(rowsOf(list, { scale: 'whole', names: new Map() }));
  assert.deepEqual(
    groups.map(({ name, rows, fromUs, tookUs }) => [name, rows.length, fromUs, tookUs]),
    [
      ['Entry', 1, 0, 10],
      ['Request policies', 1, 10, 20],
      ['Backend', 3, 30, 906],
      ['Response policies', 1, 936, 4],
      ['Backend', 1, 940, 50],
      ['Answer', 1, 990, 10],
    ],
  );
  assert.deepEqual(
    groups.flatMap(({ rows }) => rows.map(({ name, side }) => `${name}: ${side}`)).slice(1, 5),
    ['Rate limit: gateway', 'Cache: gateway', 'Choose endpoint: gateway', 'First byte: backend'],
  );
});

test('the time of the gateway alone fills the axis', () => {
  const rows = rowsOf(list, { scale: 'gateway', names: new Map() });
  assert.deepEqual(
    rows.map(({ fromUs, tookUs }) => [fromUs, tookUs]),
    [
      [0, 10],
      [10, 20],
      [30, 5],
      [35, 1],
      [36, 4],
      [40, 10],
    ],
  );
});

test('what is known by name is called so', () => {
  const plan = { ...step('entry', 'plan', [0, 1]), said: '2431, API_KEY' };
  const [row] = rowsOf([plan], { scale: 'whole', names: new Map([['2431', 'Gold']]) });
  assert.equal(row?.said, 'Gold, API_KEY');
});

test('what is said by an id is said by its name, and shortened where it has none', () => {
  const said = '0f6c1d9e-3a8f-4b1e-9c3d-5f0a1b2c3d4e of application 1f6c1d9e-3a8f-4b1e-9c3d-5f0a1b2c3d4e';
  const names = new Map([['1f6c1d9e-3a8f-4b1e-9c3d-5f0a1b2c3d4e', 'Quayside app']]);
  const [row] = rowsOf([{ ...step('entry', 'subscription', [0, 1]), said }], { scale: 'whole', names });
  assert.equal(row?.said, '0f6c1d…3d4e of application Quayside app');
});
