/**
 * `npm run bench:tail`: what callers wait when requests come at planned times, at half of the most that a gateway can take, beside nginx
 * at the same rate in the same run.
 */
import { parseArgs } from 'node:util';
import { measure } from '../measure.ts';
import { measureOpen, type OpenRun } from './open-loop.ts';
import type { PeerName } from '../roster.ts';
import { openRoster } from '../roster.ts';
import { spread } from '../rounds.ts';
import { openStage } from '../stage.ts';

/** p99 as a multiple of nginx's. */
const promised = 3;
/** What `--gate` lets pass in the best of its rounds: a core that is shared with others has a tail of its own. */
const gateBound = 10;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    gate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
if (values.help || !(rounds >= 1 && seconds >= 2)) {
  process.stdout.write(`npm run bench:tail -- [options]

  --rounds <n>   default 5; every round measures nginx and the gateway one after the other
  --seconds <n>  of a run, at least 2, since the first warms up; default 5
  --gate         exit code 1 when no round is below ${gateBound} x nginx, or a request failed

Needs nginx and wrk of Debian, and two cores.
`);
  process.exit(values.help ? 0 : 2);
}

const load = { path: '/small', connections: 64 } as const;
const stage = openStage();
const roster = await openRoster(stage);
const nginx = await roster.peer('nginx', false);
let isMissed = false;
for (const name of ['isthmus bare', 'isthmus full'] as const) await compare(name);
stage.close();
process.exitCode = values.gate && isMissed ? 1 : 0;

async function compare(name: PeerName): Promise<void> {
  const gateway = await roster.peer(name, false);
  for (let warming = 0; warming < 2; warming += 1)
    await measure(stage, gateway, { ...load, isNewConnections: false, seconds: 2 });
  const most = await measure(stage, gateway, { ...load, isNewConnections: false, seconds: 2 });
  const perSecond = Math.round(most.requestsPerSecond / 2);
  const runs: { readonly nginx: OpenRun; readonly gateway: OpenRun }[] = [];
  for (let round = 0; round < rounds; round += 1)
    runs.push({
      nginx: await measureOpen(stage, nginx, { ...load, perSecond, seconds }),
      gateway: await measureOpen(stage, gateway, { ...load, perSecond, seconds }),
    });
  const ratio = spread(runs.map((run) => run.gateway.p99Ms / run.nginx.p99Ms));
  const failures = runs.reduce((sum, run) => sum + run.nginx.failures + run.gateway.failures, 0);
  const isMet = values.gate ? ratio.min <= gateBound && failures === 0 : ratio.median <= promised;
  if (!isMet) isMissed = true;
  process.stdout.write(
    `${name} at ${perSecond}/s, medians of ${rounds} rounds of ${seconds} s\n` +
      `${lineOf(
        'nginx',
        runs.map((run) => run.nginx),
      )}${lineOf(
        name,
        runs.map((run) => run.gateway),
      )}` +
      `${isMet ? 'met   ' : 'MISSED'}  p99 / nginx: ${ratio.median.toFixed(2)} [${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]  (at most ${values.gate ? `${gateBound} in the best round at the gate, ` : ''}${promised})${failures === 0 ? '' : `  ${failures} FAILED`}\n\n`,
  );
}

function lineOf(name: string, runs: readonly OpenRun[]): string {
  const medianOf = (figure: keyof OpenRun): string =>
    spread(runs.map((run) => run[figure])).median.toFixed(2);
  return `  ${name.padEnd(14)} p50 ${medianOf('p50Ms')} ms, p99 ${medianOf('p99Ms')} ms, longest ${medianOf('maxMs')} ms; the generator was late by ${medianOf('lateP99Ms')} ms at p99\n`;
}
