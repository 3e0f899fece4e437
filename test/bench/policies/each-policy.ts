import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { costsFile, type PolicyCost } from '../../../deploy/reference/policy-costs.ts';
import { methodOf } from '../../../proto/policies/reference/example.ts';
import { eventually } from '../../kit/eventually.ts';
import { policyExamples, settingsOf, type ShownPolicy } from '../../kit/policy-examples.ts';
import { call as send } from '../../kit/gateway/gateway.ts';
import { freePort } from '../../kit/processes/processes.ts';
import { measure, type Run } from '../measure.ts';
import type { Peer } from '../peer.ts';
import { spread } from '../rounds.ts';
import { loadCpu, proxyCpu, type Stage } from '../stage.ts';
import { measuredApis, measuredCall, underLoad } from './under-load.ts';

/** How much is measured. */
export interface EachPolicyWish {
  /** Undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * What each policy costs in the example of its page: one gateway serves all of them, each twice, with its steps and security and, below
 * `/plain-<id>`, without. Both are sent the same call, in turns.
 */
export async function measureEachPolicy(stage: Stage, wish: EachPolicyWish): Promise<readonly PolicyCost[]> {
  const shown = policyExamples()
    .filter(({ policy }) => wish.only?.has(policy.id) !== false)
    .map(({ policy, example }) => ({ policy, example: underLoad(example) }));
  if (shown.length === 0) throw new Error('no such policy has an example');
  const gateway = await startGateway(stage, shown, await startBackends(stage, shown));
  const costs: PolicyCost[] = [];
  for (const each of shown) costs.push(await costOf(each, { stage, gateway, wish }));
  return costs;
}

/** Keeps what was measured for the documents; policies that were not measured keep what they had. */
export function keepCosts(costs: readonly PolicyCost[]): void {
  const before = JSON.parse(readFileSync(costsFile, 'utf8')) as readonly PolicyCost[];
  const measured = new Set(costs.map(({ id }) => id));
  const all = [...before.filter(({ id }) => !measured.has(id)), ...costs.map((cost) => rounded(cost))];
  writeFileSync(
    costsFile,
    `${JSON.stringify(
      all.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      undefined,
      2,
    )}\n`,
  );
}

const rounded = ({ id, addsUs, times, refused }: PolicyCost): PolicyCost => ({
  id,
  addsUs: Number(addsUs.toFixed(1)),
  times: Number(times.toFixed(2)),
  refused: Number(refused.toFixed(2)),
});

/** Resolves to their URL. */
async function startBackends(stage: Stage, shown: readonly ShownPolicy[]): Promise<string> {
  const file = join(stage.folder('backends'), 'backends.json');
  writeFileSync(
    file,
    JSON.stringify(
      Object.fromEntries(shown.map(({ policy, example }) => [policy.id, example.backend ?? {}])),
    ),
  );
  const port = await freePort();
  const main = join(import.meta.dirname, 'example-backend-main.ts');
  stage.start(loadCpu, [process.execPath, main, String(port), file]);
  return `http://127.0.0.1:${port}`;
}

async function startGateway(stage: Stage, shown: readonly ShownPolicy[], backends: string): Promise<Peer> {
  const dir = stage.folder('each-policy');
  const apis = join(dir, 'apis');
  mkdirSync(apis);
  for (const [name, value] of Object.entries(measuredApis(shown, (id) => `${backends}/${id}`)))
    writeFileSync(join(apis, `${name}.json`), JSON.stringify(value));
  const port = await freePort();
  const config = join(dir, 'gateway.json');
  const { listen, ...settings } = settingsOf(shown, dir);
  writeFileSync(
    config,
    JSON.stringify({
      ...settings,
      dataDir: join(dir, 'data'),
      log: { level: 'error' },
      admin: { port: 0 },
      listen: { host: '127.0.0.1', port, eventLoopLagMsMax: 0, ...(listen as object | undefined) },
    }),
  );
  const script = join(import.meta.dirname, '../../../deploy/isthmus.js');
  const command = [process.execPath, script, 'gateway', '--local', apis, '--config', config];
  const child = stage.start(proxyCpu, command);
  // Any answer: it listens, and backends are there.
  const first = `/plain-${shown[0]?.policy.id}`;
  await eventually(async () => (await send(port, first)).status < 500, { timeoutMs: 60_000, everyMs: 100 });
  return { name: 'isthmus', url: `http://127.0.0.1:${port}`, headers: [], child };
}

async function costOf(
  { policy: { id }, example }: ShownPolicy,
  { stage, gateway, wish }: { readonly stage: Stage; readonly gateway: Peer; readonly wish: EachPolicyWish },
): Promise<PolicyCost> {
  const { request } = measuredCall(example);
  const { path = '', headers = {}, body } = request;
  const type = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
  const sent = { method: methodOf(request), headers: { Accept: '*/*', ...type, ...headers }, body };
  const run = (below: string): Promise<Run> =>
    measure(stage, gateway, {
      path: `/${below}${path}`,
      connections: 32,
      isNewConnections: false,
      seconds: wish.seconds,
      sent,
    });
  const pairs: (readonly [own: Run, plain: Run])[] = [];
  // One round before the others only warms up.
  for (let round = 0; round <= wish.rounds; round += 1) {
    const pair = [await run(id), await run(`plain-${id}`)] as const;
    if (round > 0) pairs.push(pair);
  }
  const median = (of: (own: Run, plain: Run) => number): number =>
    spread(pairs.map(([own, plain]) => of(own, plain))).median;
  return {
    id,
    addsUs: median((own, plain) => own.cpuUsPerRequest - plain.cpuUsPerRequest),
    times: median((own, plain) => own.cpuUsPerRequest / plain.cpuUsPerRequest),
    refused: median(({ failures, requests }) => failures / requests),
  };
}
