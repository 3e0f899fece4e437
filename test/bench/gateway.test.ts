import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../kit/temp-dir.ts';
import { readProfile } from './cpu-profile.ts';
import type { Run } from './measure.ts';
import type { PeerName } from './roster.ts';
import { cpuRatio, pooled, spread, type Row } from './rounds.ts';
import { defaultPlan, fullPlan, gatePlan, only, type Plan, type Scene } from './scenes.ts';
import { tableOf } from './table.ts';
import { judge, targetTexts } from './targets.ts';

const run = (cpuUsPerRequest: number, requestsPerSecond = 1_000): Run => ({
  requests: 1_000,
  cpuUsPerRequest,
  requestsPerSecond,
  busy: 1,
  othersBusy: 0,
  latencyMeanUs: 1_000,
  latencyP99Us: 5_000,
  residentMib: 100,
  failures: 0,
});
const small: Scene = {
  path: '/small',
  isNewConnections: false,
  isTls: false,
  connections: 64,
  peers: ['nginx', 'floor', 'isthmus bare', 'isthmus record'],
};
const row = (peer: PeerName, ...runs: readonly Run[]): Row => ({ scene: small, peer, runs });

test('a ratio compares the neighbours of a round, so that a slow round does not change it', () => {
  const nginx = row('nginx', run(10), run(30), run(10));
  const bare = row('isthmus bare', run(12), run(36), run(12.5));
  assert.equal(cpuRatio(bare, nginx).median, 1.2);
});

test('a spread of an even number of values takes the mean of the middle two', () => {
  assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assert.ok(Number.isNaN(spread([]).median));
});

test('a gate judges the least CPU of all rounds, and a scene that is played again adds to them', () => {
  const noisy = [row('floor', run(10), run(30), run(11)), row('isthmus bare', run(25), run(70), run(26))];
  const gated = (rows: readonly Row[]) =>
    judge(rows)
      .filter(({ text }) => text === 'bare CPU / floor')
      .map(({ value, gateValue, isGateMet }) => ({ value, gateValue, isGateMet }));
  assert.deepEqual(gated(noisy), [{ value: 26 / 11, gateValue: 2.5, isGateMet: false }]);
  const again = pooled(noisy, [row('isthmus bare', run(15)), row('floor', run(10))]);
  assert.deepEqual(
    gated(again).map(({ gateValue, isGateMet }) => ({ gateValue, isGateMet })),
    [{ gateValue: 1.5, isGateMet: true }],
  );
});

test('a target is judged at its bound, and only where both of its rows were measured', () => {
  const verdicts = judge([
    row('nginx', run(1)),
    row('floor', run(10)),
    row('isthmus bare', run(12.5)),
    row('isthmus record', run(14.6)),
  ]);
  assert.deepEqual(
    verdicts.map(({ text, isMet, isGateMet }) => ({ text, isMet, isGateMet })),
    [
      { text: 'bare CPU / floor', isMet: true, isGateMet: true },
      { text: 'access record, us a request', isMet: false, isGateMet: true },
      { text: 'isthmus bare: p99 / mean at full load', isMet: true, isGateMet: true },
    ],
  );
});

for (const [name, plan] of Object.entries({ defaultPlan, fullPlan, gatePlan }))
  test(`the ${name} measures every target`, () => {
    const rows = rowsOf(plan);
    assert.deepEqual(new Set(judge(rows).map(({ text }) => text)), new Set(targetTexts));
    assert.equal(
      judge(rows).filter(({ text }) => text === 'bare CPU / floor').length,
      4,
      '2 sizes x 2 connections',
    );
  });

test('the gate takes less than two minutes', () => {
  const runs = rowsOf(gatePlan).length * (gatePlan.rounds + 1) * gatePlan.secondsPerRun;
  assert.ok(runs <= 75, `${runs} s of runs, and half a minute to start everybody`);
});

test('--only keeps rows that hold all texts, and nginx beside them', () => {
  const { scenes } = only(defaultPlan, ['HAPROXY', '1 mib', 'tls']);
  assert.deepEqual(
    scenes.map(({ path, isTls, peers }) => ({ path, isTls, peers })),
    [{ path: '/big', isTls: true, peers: ['nginx', 'haproxy'] }],
  );
  assert.deepEqual(only(defaultPlan, ['nobody']).scenes, []);
});

test('a table shows who failed requests', () => {
  const lines = tableOf(small, [row('nginx', run(10)), row('isthmus bare', { ...run(20), failures: 3 })]);
  assert.match(lines.at(-1) ?? '', /^isthmus bare .* 20\.0 .* 2\.00 .* 3 FAILED$/);
});

test('a table says when somebody else was on the core', () => {
  const disturbed = { ...run(10), othersBusy: 0.4 };
  assert.match(tableOf(small, [row('nginx', disturbed)]).at(-1) ?? '', /^others used 40 %/);
  assert.match(tableOf(small, [row('nginx', run(10))]).at(-1) ?? '', /^nginx/);
});

test('a profile counts only what ran in the window, without idling, and recursion once', (t) => {
  const node = (id: number, functionName: string, children: readonly number[]) => ({
    id,
    callFrame: { functionName, url: functionName.startsWith('(') ? '' : 'file:///x.ts', lineNumber: 4 },
    children,
  });
  const file = join(tempDir(t), 'one.cpuprofile');
  const profile = {
    nodes: [node(1, '(root)', [2, 4]), node(2, 'walk', [3]), node(3, 'walk', []), node(4, '(idle)', [])],
    startTime: 1_000,
    samples: [2, 2, 3, 4, 2, 2],
    timeDeltas: [0, 100, 100, 100, 100, 100],
  };
  writeFileSync(file, JSON.stringify(profile));
  // The first sample is before the window, the last one has no end.
  const { busyUs, functions } = readProfile(file, 1_100, 2_000);
  assert.equal(busyUs, 300);
  assert.deepEqual(functions[0], { name: 'walk', place: 'file:///x.ts:5', self: 1, total: 1 });
});

function rowsOf(plan: Plan): readonly Row[] {
  return plan.scenes.flatMap((scene) => scene.peers.map((peer) => ({ scene, peer, runs: [run(10)] })));
}
