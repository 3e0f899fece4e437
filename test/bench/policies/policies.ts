/**
 * `npm run bench:policies`: what each thing that a definition may ask for costs a request, on one core, as a multiple of the floor (a byte
 * proxy on the same runtime) and of the keyless gateway of the same round. All write access records. One is asked in HTTP/2 (h2load). The Redis has no password and runs
 * beside the load.
 *
 * Then, unless `--gate`, what each policy of the catalogue costs in the example of its page, a row each; `--write` keeps that for
 * `docs/policy-costs.md`, which `npm run generate` makes. `--only a,b` measures these policies and nothing else, `--rounds n` and
 * `--seconds n` say how long (7 rounds of 2 s).
 *
 * `--gate` exits 1 when a limit in Redis costs more than 1.3 times one in memory.
 */
import { parseArgs } from 'node:util';

import { freePort } from '../../kit/processes/processes.ts';
import { secretToken } from '../../kit/gateway/issuer.ts';
import { type Dress, headers, keyCredential, memoryLimit, startDressedGateway } from '../gateway-peer.ts';
import { measure, type Run } from '../measure.ts';
import { startNginxUpstream } from '../nginx.ts';
import { startNodeProxy } from '../node-proxies.ts';
import type { Peer } from '../peer.ts';
import { spread } from '../rounds.ts';
import { loadCpu, openStage } from '../stage.ts';
import { keepCosts, measureEachPolicy } from './each-policy.ts';

const { values: flags } = parseArgs({
  options: {
    gate: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
const isGate = flags.gate;
const redisRatioMax = 1.3;
const rounds = isGate ? 5 : Number(flags.rounds);
const seconds = Number(flags.seconds);

const stage = openStage();
if (flags.only !== undefined) {
  await printEachPolicy();
  process.exit();
}
const redisPort = await freePort();
stage.start(loadCpu, ['redis-server', '--port', String(redisPort), '--bind', '127.0.0.1', '--save', '']);

const secret = 'a secret of the bench, long enough for HS256';
const keyless: Dress = { name: 'keyless', isRecorded: true, security: { type: 'KEY_LESS' } };
const key: Dress = { ...keyless, name: 'key', security: { type: 'API_KEY' }, credential: keyCredential };
const http2: Dress = {
  ...keyless,
  name: 'keyless, HTTP/2',
  env: { ISTHMUS_GATEWAY__LISTEN__HTTP2__CLEAR_TEXT: 'true' },
};
const dresses: readonly Dress[] = [
  keyless,
  http2,
  key,
  { ...key, name: 'key, memory limit', steps: [memoryLimit] },
  {
    ...key,
    name: 'key, Redis limit',
    steps: [memoryLimit],
    env: {
      ISTHMUS_GATEWAY__LIMITS__REDIS__URL: `redis://127.0.0.1:${redisPort}`,
      // Redis shares its core with the load: every request is to be counted, however late.
      ISTHMUS_GATEWAY__LIMITS__REDIS__WAIT_MS_MAX: '5000',
    },
  },
  { ...keyless, name: 'headers', steps: [headers] },
  {
    ...keyless,
    name: 'JWT, cached',
    security: {
      type: 'JWT',
      configuration: {
        signature: 'HMAC_HS256',
        publicKeyResolver: 'GIVEN_KEY',
        resolverParameter: secret,
      },
    },
    credential: {
      found: { clientId: 'bench' },
      header: ['Authorization', `Bearer ${secretToken(secret, { azp: 'bench' }, { alg: 'HS256' })}`],
    },
  },
  {
    ...keyless,
    name: 'condition',
    steps: [headers],
    condition: "{#request.headers['X-Nope'] != null}",
  },
];

const upstream = await startNginxUpstream(stage);
const place = { upstreamUrl: upstream.url, tls: undefined };
const peers: { readonly peer: Peer; readonly isHttp2: boolean; readonly runs: Run[] }[] = [
  { peer: await startNodeProxy(stage, 'floor', place), isHttp2: false, runs: [] },
];
for (const dress of dresses) {
  const peer = await startDressedGateway(stage, dress, place);
  peers.push({ peer, isHttp2: dress === http2, runs: [] });
}

// One round before the others only warms up.
for (let round = 0; round <= rounds; round += 1)
  for (const { peer, isHttp2, runs } of peers) {
    const run = await measure(stage, peer, {
      path: '/small',
      connections: 64,
      isNewConnections: false,
      seconds,
      isHttp2,
    });
    if (run.failures > 0) throw new Error(`${peer.name} failed ${run.failures} times`);
    if (round > 0) runs.push(run);
  }
stage.close();

/** CPU as a multiple of another's, round by round. */
const timesOf = (runs: readonly Run[], base: readonly Run[]): number =>
  spread(runs.map((run, round) => run.cpuUsPerRequest / (base[round]?.cpuUsPerRequest ?? Number.NaN))).median;

const runsOf = (name: string): readonly Run[] => peers.find(({ peer }) => peer.name === name)?.runs ?? [];
const [floor, plain] = [peers[0]?.runs ?? [], runsOf('isthmus keyless')];
for (const { peer, runs } of peers) {
  const us = spread(runs.map(({ cpuUsPerRequest }) => cpuUsPerRequest)).median;
  process.stdout.write(
    `${peer.name.padEnd(28)} ${us.toFixed(1)} us  ${timesOf(runs, floor).toFixed(2)} x floor  ${timesOf(runs, plain).toFixed(2)} x keyless\n`,
  );
}
const ratio = timesOf(runsOf('isthmus key, Redis limit'), runsOf('isthmus key, memory limit'));
const isMet = ratio <= redisRatioMax;
process.stdout.write(
  `${isMet ? 'met   ' : 'MISSED'}  a limit in Redis costs ${ratio.toFixed(2)} x one in memory (at most ${redisRatioMax})\n`,
);
if (isGate && !isMet) process.exitCode = 1;
if (!isGate) await printEachPolicy();
process.exit();

/** A row per policy, as soon as all are measured. */
async function printEachPolicy(): Promise<void> {
  const only = flags.only === undefined ? undefined : new Set(flags.only.split(','));
  const each = openStage();
  const costs = await measureEachPolicy(each, { only, rounds, seconds });
  each.close();
  for (const { id, addsUs, times, refused } of costs)
    process.stdout.write(
      `${id.padEnd(32)} ${addsUs.toFixed(1).padStart(8)} us more  ${times.toFixed(2)} x without it${refused > 0.01 ? `, ${Math.round(refused * 100)} % refused` : ''}\n`,
    );
  if (flags.write) keepCosts(costs);
}
