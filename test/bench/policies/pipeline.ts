/**
 * `npm run bench:pipeline`: what a request costs that passes a whole pipeline, with a body of 1 KiB that one step reads, as a multiple of the floor (a byte proxy
 * on the same runtime) and of the gateway without steps, round by round on one core. `--rounds n` and `--seconds n` say how long (7 rounds of 2 s).
 *
 * The pipeline: a plan of keys that is looked at first, a plan of tokens (JWT, cached) that lets in, quota, rate-limit, ip-filtering, resource-filtering, validation
 * of the body, two transforms of headers, attributes, a step with a condition, dynamic routing.
 *
 * `--parts` measures it part by part too, each with all before it. Exits 1 when it costs more than 2.2 times the floor, unless `--report` only wants to know.
 */
import { parseArgs } from 'node:util';

import { secretToken } from '../../kit/gateway/issuer.ts';
import { type Dress, headers, memoryLimit, startDressedGateway } from '../gateway-peer.ts';
import { measure, type Run } from '../measure.ts';
import { startNginxUpstream } from '../nginx.ts';
import { startNodeProxy } from '../node-proxies.ts';
import type { Peer } from '../peer.ts';
import { spread } from '../rounds.ts';
import { openStage } from '../stage.ts';

const ratioMax = 2.2;
/** Until its code is compiled a pipeline costs two to three times as much; a round alone is too short for that on a machine that others use. */
const warmRequests = 150_000;
const { values: flags } = parseArgs({
  options: {
    parts: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const secret = 'a secret of the bench, long enough for HS256';
const body = JSON.stringify({ kind: 'order', note: 'x'.repeat(1_024 - 27) });

const step = (policy: string, configuration: object, more: object = {}): object => ({
  name: policy,
  enabled: true,
  policy,
  configuration,
  ...more,
});
const token = {
  type: 'JWT',
  configuration: { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: secret },
};
const keyless: Dress = { name: 'without steps', isRecorded: true, security: { type: 'KEY_LESS' } };
/** The pipeline, part by part: each adds its steps to those of the part before. */
const parts: readonly { readonly adds: string; readonly steps: readonly object[] }[] = [
  { adds: 'key and token', steps: [] },
  {
    adds: 'quota, rate-limit',
    steps: [
      step('quota', { quota: { limit: 1_000_000_000, periodTime: 1, periodTimeUnit: 'MONTHS' } }),
      memoryLimit,
    ],
  },
  {
    adds: 'filters of addresses and paths',
    steps: [
      step('ip-filtering', { whitelistIps: ['127.0.0.0/8', '10.0.0.0/8'], blacklistIps: ['192.0.2.66'] }),
      step('resource-filtering', { whitelist: [{ pattern: '/**', methods: ['GET', 'POST'] }] }),
    ],
  },
  {
    adds: 'validation of the body',
    steps: [
      step('policy-request-validation', {
        rules: [
          {
            input: "{#request.jsonContent?.['kind']}",
            // Whether it is ready is asked without a body.
            isRequired: false,
            constraint: { type: 'ENUM', parameters: ['order', 'return'], message: '%s is no kind' },
          },
        ],
      }),
    ],
  },
  {
    adds: 'headers, attributes, condition',
    steps: [
      headers,
      step('transform-headers', { addHeaders: [{ name: 'X-Api', value: '{#api.name}' }] }),
      step('policy-assign-attributes', { attributes: [{ name: 'kind', value: '{#request.method}' }] }),
      step(
        'transform-headers',
        { addHeaders: [{ name: 'X-Kind', value: "{#context.attributes['kind']}" }] },
        { condition: "{#context.attributes['kind'] == 'POST'}" },
      ),
    ],
  },
  {
    adds: 'dynamic routing',
    steps: [step('dynamic-routing', { rules: [{ pattern: '/?.*', url: "{#endpoints['one']}" }] })],
  },
];
const dressed: Omit<Dress, 'name'> = {
  isRecorded: true,
  security: token,
  otherSecurity: { type: 'API_KEY' },
  credential: {
    found: { clientId: 'bench' },
    header: ['Authorization', `Bearer ${secretToken(secret, { azp: 'bench' }, { alg: 'HS256' })}`],
  },
};
const upTo = (count: number): readonly object[] => parts.slice(0, count).flatMap(({ steps }) => steps);
const pipeline: Dress = { ...dressed, name: 'pipeline', steps: upTo(parts.length) };
/** What the parts come to one after another, all but the last, which makes the pipeline. */
const growing: readonly Dress[] = parts
  .slice(0, -1)
  .map(({ adds }, index) => ({ ...dressed, name: `and ${adds}`, steps: upTo(index + 1) }));

const stage = openStage();
const upstream = await startNginxUpstream(stage);
const place = { upstreamUrl: upstream.url, tls: undefined };
const peers: { readonly peer: Peer; readonly runs: Run[] }[] = [
  { peer: await startNodeProxy(stage, 'floor', place), runs: [] },
  { peer: await startDressedGateway(stage, keyless, place), runs: [] },
  { peer: await startDressedGateway(stage, pipeline, place), runs: [] },
];
if (flags.parts)
  for (const dress of growing) peers.push({ peer: await startDressedGateway(stage, dress, place), runs: [] });
const load = { path: '/small', connections: 64, isNewConnections: false, seconds } as const;
const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
const measureOne = async (peer: Peer): Promise<Run> => {
  const run = await measure(stage, peer, { ...load, sent });
  if (run.failures > 0) throw new Error(`${peer.name} failed ${run.failures} times`);
  return run;
};
for (const { peer } of peers)
  for (let asked = 0; asked < warmRequests;) asked += (await measureOne(peer)).requests;
for (let round = 0; round < rounds; round += 1)
  for (const { peer, runs } of peers) runs.push(await measureOne(peer));
stage.close();

/** CPU as a multiple of another's, round by round. */
const timesOf = (runs: readonly Run[], base: readonly Run[]): number =>
  spread(runs.map((run, round) => run.cpuUsPerRequest / (base[round]?.cpuUsPerRequest ?? Number.NaN))).median;
const runsOf = (index: number): readonly Run[] => peers[index]?.runs ?? [];
for (const { peer, runs } of peers) {
  const us = spread(runs.map(({ cpuUsPerRequest }) => cpuUsPerRequest)).median;
  process.stdout.write(
    `${peer.name.padEnd(28)} ${us.toFixed(1)} us  ${timesOf(runs, runsOf(0)).toFixed(2)} x floor  ${timesOf(runs, runsOf(1)).toFixed(2)} x without steps\n`,
  );
}
const ratio = timesOf(runsOf(2), runsOf(0));
const isMet = ratio <= ratioMax;
process.stdout.write(
  `${isMet ? 'met   ' : 'MISSED'}  a pipeline of twelve costs ${ratio.toFixed(2)} x the floor (at most ${ratioMax})\n`,
);
process.exit(isMet || flags.report ? 0 : 1);
