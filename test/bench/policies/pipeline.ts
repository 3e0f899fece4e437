/**
 * `npm run bench:pipeline`: what a request costs that passes a whole pipeline, with a body of 1 KiB that one step reads, as a multiple of the floor (a byte proxy
 * on the same runtime) and of the gateway without steps, round by round on one core. `--rounds n` and `--seconds n` say how long (7 rounds of 2 s).
 *
 * The pipeline: a plan of keys that is looked at first, a plan of tokens (JWT, cached) that lets in, quota, rate-limit, ip-filtering, resource-filtering, validation
 * of the body, two transforms of headers, attributes, a step with a condition, dynamic routing.
 *
 * Exits 1 when it costs more than 2.2 times the floor, unless `--report` only wants to know.
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
const { values: flags } = parseArgs({
  options: {
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
const pipeline: Dress = {
  name: 'pipeline',
  isRecorded: true,
  security: token,
  otherSecurity: { type: 'API_KEY' },
  credential: {
    found: { clientId: 'bench' },
    header: ['Authorization', `Bearer ${secretToken(secret, { azp: 'bench' }, { alg: 'HS256' })}`],
  },
  steps: [
    step('quota', { quota: { limit: 1_000_000_000, periodTime: 1, periodTimeUnit: 'MONTHS' } }),
    memoryLimit,
    step('ip-filtering', { whitelistIps: ['127.0.0.0/8', '10.0.0.0/8'], blacklistIps: ['192.0.2.66'] }),
    step('resource-filtering', { whitelist: [{ pattern: '/**', methods: ['GET', 'POST'] }] }),
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
    headers,
    step('transform-headers', { addHeaders: [{ name: 'X-Api', value: '{#api.name}' }] }),
    step('policy-assign-attributes', { attributes: [{ name: 'kind', value: '{#request.method}' }] }),
    step(
      'transform-headers',
      { addHeaders: [{ name: 'X-Kind', value: "{#context.attributes['kind']}" }] },
      { condition: "{#context.attributes['kind'] == 'POST'}" },
    ),
    step('dynamic-routing', { rules: [{ pattern: '/?.*', url: "{#endpoints['one']}" }] }),
  ],
};

const stage = openStage();
const upstream = await startNginxUpstream(stage);
const place = { upstreamUrl: upstream.url, tls: undefined };
const peers: { readonly peer: Peer; readonly runs: Run[] }[] = [
  { peer: await startNodeProxy(stage, 'floor', place), runs: [] },
  { peer: await startDressedGateway(stage, keyless, place), runs: [] },
  { peer: await startDressedGateway(stage, pipeline, place), runs: [] },
];
// One round before the others only warms up.
for (let round = 0; round <= rounds; round += 1)
  for (const { peer, runs } of peers) {
    const load = { path: '/small', connections: 64, isNewConnections: false, seconds } as const;
    const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const run = await measure(stage, peer, { ...load, sent });
    if (run.failures > 0) throw new Error(`${peer.name} failed ${run.failures} times`);
    if (round > 0) runs.push(run);
  }
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
