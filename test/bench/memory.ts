/**
 * `npm run bench:memory`: what a gateway holds, idle with ten APIs and under load with everything, and whether it stays flat.
 *
 * Beside it, on the same runtime: an empty process of Node, and the floor (floor-main.ts) under the same load. Memory hardly depends on
 * who else uses the machine.
 */
import { parseArgs } from 'node:util';
import { startGatewayPeer } from './gateway-peer.ts';
import { measure, residentMib } from './measure.ts';
import { startNginxUpstream } from './nginx.ts';
import { startNodeProxy } from './node-proxies.ts';
import type { Peer } from './peer.ts';
import { spread } from './rounds.ts';
import { openStage, proxyCpu } from './stage.ts';

/** What is promised, in MiB. */
const idleMibMax = 110;
const loadedMibMax = 160;
/** How much more the last quarter of the time may hold than the second: the first warms up. */
const growthMax = 1.05;
/** What `--gate` lets pass: of memory, whose bound under load is missed by up to 8 % today, and of growth over the short time that it takes. */
const gateFactor = 1.15;
const gateGrowthMax = 1.1;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    gate: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (values.help || !(minutes > 0 && minutes <= 24 * 60)) {
  process.stdout.write(`npm run bench:memory -- [options]

  --minutes <n>  how long the load lasts; default 1. 60 is what "flat over an hour" means
  --gate         exit code 1 when a bound is missed by more than ${Math.round(100 * gateFactor - 100)} %, or memory grows by more than ${Math.round(100 * gateGrowthMax - 100)} %

Needs nginx and wrk of Debian, and two cores.
`);
  process.exit(values.help ? 0 : 2);
}

const load = { path: '/small', connections: 64, isNewConnections: false } as const;
/**
 * Each role is started once before: a gateway has no code to strip and compile then, and no compiler of TypeScript in its memory (17 MiB of what it holds
 * under load). What a checkout does once is nobody's every day, and an installed package has no such code.
 */
const settleMs = 5_000;

const stage = openStage();
const upstream = await startNginxUpstream(stage);
const wish = { upstreamUrl: upstream.url, tls: undefined };

const empty = stage.start(proxyCpu, [process.execPath, '-e', 'setInterval(() => undefined, 1e6)']);
for (const role of ['ten', 'full'] as const) {
  const first = await startGatewayPeer(stage, { ...wish, role });
  first.child.kill('SIGINT');
  await first.child.ended;
}
const idle = await startGatewayPeer(stage, { ...wish, role: 'ten' });
await pause(settleMs);
const emptyMib = residentMib(empty.pid);
const idleMib = residentMib(idle.child.pid);
empty.kill();
idle.child.kill();

const floor = await startNodeProxy(stage, 'floor', wish);
const full = await startGatewayPeer(stage, { ...wish, role: 'full' });
const floorMib = (await measure(stage, floor, { ...load, seconds: 10 })).residentMib;
floor.child.kill();
const samples = await sampleUnderLoad(full);
stage.close();

const quarter = Math.floor(samples.length / 4);
const loadedMib = spread(samples.slice(quarter)).median;
const growth = spread(samples.slice(-quarter)).median / spread(samples.slice(quarter, 2 * quarter)).median;
const verdicts = [
  told('idle, ten APIs, MiB', { value: idleMib, bound: idleMibMax, gateBound: idleMibMax * gateFactor }),
  told('under load, with everything, MiB', {
    value: loadedMib,
    bound: loadedMibMax,
    gateBound: loadedMibMax * gateFactor,
  }),
  told(`last quarter of ${minutes} min / second`, {
    value: growth,
    bound: growthMax,
    gateBound: gateGrowthMax,
  }),
];
process.stdout.write(
  `an empty process of Node ${emptyMib.toFixed(0)} MiB, the floor under the same load ${floorMib.toFixed(0)} MiB\n`,
);
process.exitCode = values.gate && verdicts.includes(false) ? 1 : 0;

/** Seconds of one run of wrk, after which memory is read. */
function stepSeconds(): number {
  return Math.max(2, Math.round((minutes * 60) / 60));
}

async function sampleUnderLoad(peer: Peer): Promise<readonly number[]> {
  const steps = Math.max(8, Math.round((minutes * 60) / stepSeconds()));
  const taken: number[] = [];
  process.stdout.write(`under load every ${stepSeconds()} s:`);
  for (let step = 0; step < steps; step += 1) {
    const { residentMib: mib, failures } = await measure(stage, peer, { ...load, seconds: stepSeconds() });
    if (failures > 0) throw new Error(`${peer.name} failed ${failures} requests`);
    taken.push(mib);
    // As it is taken: an hour that breaks off has said something too.
    process.stdout.write(` ${mib.toFixed(0)}`);
  }
  process.stdout.write('\n');
  return taken;
}

/** Says whether a bound holds; returns what the gate says. */
function told(
  text: string,
  { value, bound, gateBound }: { readonly value: number; readonly bound: number; readonly gateBound: number },
): boolean {
  const isMet = value <= (values.gate ? gateBound : bound);
  process.stdout.write(
    `${isMet ? 'met   ' : 'MISSED'}  ${text}: ${value.toFixed(2)}  (at most ${values.gate ? `${gateBound.toFixed(2)} at the gate, ` : ''}${bound})\n`,
  );
  return isMet;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
