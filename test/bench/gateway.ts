/**
 * `npm run bench:gateway`: what a proxied request costs beside nginx, HAProxy and the proxies of the npm registry, in one run with the
 * same upstream. Only the ratios mean something on a shared machine.
 *
 * The proxies run on core 0, wrk and the upstream on core 1. CPU is user plus system time of the peer's processes from /proc.
 */
import { parseArgs } from 'node:util';
import { openRoster } from './roster.ts';
import { play, pooled, type Row } from './rounds.ts';
import { defaultPlan, fullPlan, gatePlan, only, titleOf, type Plan } from './scenes.ts';
import { openStage } from './stage.ts';
import { tableOf } from './table.ts';
import { judge, verdictLines, type TargetResult } from './targets.ts';

const help = `npm run bench:gateway -- [options]

  --only <text>    only rows whose title and peer hold the text, e.g. "10 KiB" or "haproxy"; may be repeated, all must hold
  --rounds <n>     rounds of every row after one that warms up; default ${defaultPlan.rounds}
  --seconds <n>    whole seconds of a run; default ${defaultPlan.secondsPerRun}
  --node-flag <f>  a flag of Node for the gateway, e.g. --node-flag=--max-semi-space-size=32; may be repeated
  --json           rows with every run, and the targets, as JSON instead of tables
  --full           every size, kind of connection, TLS on and off, number of connections, with everybody: ${minutesOf(fullPlan)} minutes
  --gate           a short plan; exit code 1 when a loosened bound (targets.ts) is missed or a request failed
  --help           this; the default plan takes about ${minutesOf(defaultPlan)} minutes

Needs nginx, haproxy and wrk of Debian, and two cores.
`;

/** So often a gate plays a scene again that missed a bound: on a machine that others use, one of ten rounds is quiet where three are not. */
const playedAgainMax = 2;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'node-flag': { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  print(help);
  process.exit(0);
}

const plan = wishedPlan();
if (plan.scenes.length === 0) {
  print(`no row holds ${values.only.join(' and ')}\n`);
  process.exit(2);
}
const stage = openStage();
const roster = await openRoster(stage, values['node-flag']);
const rows: Row[] = [];
if (!values.json)
  print(`median of ${plan.rounds} rounds of ${plan.secondsPerRun} s, about ${minutesOf(plan)} minutes\n`);
for (const scene of plan.scenes) {
  let played = await play(scene, { stage, roster, ...plan });
  for (let again = 0; values.gate && again < playedAgainMax && !judge(played).every(isGateMet); again += 1)
    played = pooled(played, await play(scene, { stage, roster, ...plan }));
  rows.push(...played);
  if (!values.json) print(`${tableOf(scene, played).join('\n')}\n`);
}
stage.close();

const verdicts = judge(rows);
if (values.json) {
  const plain = rows.map(({ scene, peer, runs }) => ({ scene: titleOf(scene), peer, runs }));
  print(`${JSON.stringify({ rows: plain, targets: verdicts }, undefined, 2)}\n`);
} else if (verdicts.length > 0) print(`\ntargets\n${verdictLines(verdicts, values.gate).join('\n')}\n`);
if (values.gate) {
  const failed = rows.filter(
    (row) => row.peer.startsWith('isthmus') && row.runs.some((run) => run.failures > 0),
  );
  for (const row of failed) print(`MISSED  ${row.peer} failed requests  ${titleOf(row.scene)}\n`);
  process.exitCode = failed.length > 0 || !verdicts.every(isGateMet) ? 1 : 0;
}

function isGateMet(verdict: TargetResult): boolean {
  return verdict.isGateMet;
}

function wishedPlan(): Plan {
  const base = values.gate ? gatePlan : values.full ? fullPlan : defaultPlan;
  return only(
    {
      ...base,
      rounds: wholeNumber('rounds', base.rounds),
      secondsPerRun: wholeNumber('seconds', base.secondsPerRun),
    },
    values.only,
  );
}

function wholeNumber(name: 'rounds' | 'seconds', fallback: number): number {
  const text = values[name];
  if (text === undefined) return fallback;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  print(`--${name} must be a whole number from 1 to 9999\n`);
  process.exit(2);
}

function minutesOf({ scenes, rounds, secondsPerRun }: Plan): number {
  const rowCount = scenes.reduce((sum, scene) => sum + scene.peers.length, 0);
  return Math.ceil((rowCount * (rounds + 1) * secondsPerRun) / 60);
}

function print(text: string): void {
  process.stdout.write(text);
}
