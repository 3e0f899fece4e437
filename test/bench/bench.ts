/**
 * `npm run bench`: the overview. What a proxied request costs beside nginx and @fastify/http-proxy, what an access record costs, and how
 * soon a deploy is live. `npm run bench:gateway` has every peer and every kind of load.
 *
 * `--gate` is short and exits 1 when a deploy is not live in the promised time; the gateway's own gate is `bench:gateway -- --gate`.
 */
import { measurePublishToLive } from './publish-to-live.ts';
import { openRoster } from './roster.ts';
import { play } from './rounds.ts';
import { overviewScene } from './scenes.ts';
import { openStage } from './stage.ts';
import { tableOf } from './table.ts';
import { judge, verdictLines } from './targets.ts';

const liveMsP99Max = 250;

const isGate = process.argv.includes('--gate');
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const stage = openStage();
if (!isGate) {
  const roster = await openRoster(stage);
  const rows = await play(overviewScene, { stage, roster, rounds: 7, secondsPerRun: 3 });
  for (const line of [...tableOf(overviewScene, rows), '', ...verdictLines(judge(rows), false)]) print(line);
}

const live = await measurePublishToLive(stage, isGate ? 50 : 200);
stage.close();
const isLive = live.p99Ms <= liveMsP99Max;
print(
  `${isLive ? 'met   ' : 'MISSED'}  publish to live, one gateway, ${live.count} deploys: p50 ${live.p50Ms.toFixed(0)} ms, p99 ${live.p99Ms.toFixed(0)} ms (at most ${liveMsP99Max})`,
);
if (isGate && !isLive) process.exitCode = 1;
