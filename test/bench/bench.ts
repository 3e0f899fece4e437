/**
 * `npm run bench`: what a proxied request costs beside nginx and @fastify/http-proxy, what an access record costs, and how soon a
 * deploy is live. All in one run on one core each; only the ratios mean something on a shared machine.
 *
 * `--gate` makes fewer rounds and exits 1 when a promise is missed by more than the noise of such machines.
 */
import { benchKey, startGatewayPeer } from './gateway-peer.ts';
import { measure, median, type Run } from './measure.ts';
import { loadCpu, startFastifyProxy, startNginxProxy, startNginxUpstream, type Peer } from './peers.ts';
import { measurePublishToLive } from './publish-to-live.ts';

const isGate = process.argv.includes('--gate');
const rounds = isGate ? 3 : 7;
const secondsPerRun = isGate ? 2 : 4;
const connections = 64;

interface Row {
  readonly peer: Peer;
  readonly headers: readonly string[];
  readonly runs: Run[];
}

const upstream = await startNginxUpstream();
const rows: readonly Row[] = [
  { peer: await startNginxProxy(upstream), headers: [], runs: [] },
  {
    peer: await startGatewayPeer({ name: 'isthmus, bare', upstream, hasRecord: false, hasPolicies: false }),
    headers: [],
    runs: [],
  },
  {
    peer: await startGatewayPeer({ name: 'isthmus, record', upstream, hasRecord: true, hasPolicies: false }),
    headers: [],
    runs: [],
  },
  {
    peer: await startGatewayPeer({
      name: 'isthmus, key + limit + headers + record',
      upstream,
      hasRecord: true,
      hasPolicies: true,
    }),
    headers: [`X-Gravitee-Api-Key: ${benchKey}`],
    runs: [],
  },
  { peer: await startFastifyProxy(upstream), headers: [], runs: [] },
];

// Interleaved, so that a machine that slows down slows everybody; the first round only warms up.
for (let round = 0; round <= rounds; round += 1) {
  for (const row of rows) {
    const run = await measure(row.peer.pid, {
      url: `${row.peer.url}/small`,
      connections,
      seconds: secondsPerRun,
      headers: row.headers,
      cpus: loadCpu,
    });
    if (round > 0) row.runs.push(run);
  }
}
for (const peer of [upstream, ...rows.map((row) => row.peer)]) peer.stop();

const nginxUs = median(rows[0]?.runs.map((run) => run.cpuUsPerRequest) ?? []);
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
print(`300 bytes, ${connections} keep-alive connections, one core, median of ${rounds} rounds [min..max]`);
for (const { peer, runs } of rows) {
  const cpu = runs.map((run) => run.cpuUsPerRequest);
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  print(
    [
      peer.name.padEnd(42),
      `${median(cpu).toFixed(1)} us CPU [${Math.min(...cpu).toFixed(1)}..${Math.max(...cpu).toFixed(1)}]`,
      `${(median(cpu) / nginxUs).toFixed(2)} x nginx`,
      `${Math.round(median(runs.map((run) => run.requestsPerSecond)))}/s`,
      failures === 0 ? '' : `${failures} FAILED`,
    ].join('  '),
  );
}
const cpuOf = (index: number): number => median(rows[index]?.runs.map((run) => run.cpuUsPerRequest) ?? []);
const recordUs = cpuOf(2) - cpuOf(1);
print(`access record: ${recordUs.toFixed(1)} us a request (record - bare)`);

const live = await measurePublishToLive(isGate ? 50 : 200);
print(
  `publish to live, one gateway, ${live.count} deploys: p50 ${live.p50Ms.toFixed(0)} ms, p99 ${live.p99Ms.toFixed(0)} ms`,
);

if (isGate) {
  const misses = [
    ...rows
      .filter((row) => row.runs.some((run) => run.failures > 0))
      .map((row) => `${row.peer.name} failed requests`),
    ...(live.p99Ms > 250 ? [`publish to live p99 is ${live.p99Ms.toFixed(0)} ms, the promise is 250`] : []),
    ...(cpuOf(1) * 1.2 > cpuOf(4) ? ['a bare request costs no less than @fastify/http-proxy takes'] : []),
  ];
  for (const miss of misses) print(`MISSED: ${miss}`);
  process.exitCode = misses.length === 0 ? 0 : 1;
}
