/**
 * The differential fuzz of the HTTP engine: `npm run fuzz:http` (20 minutes), `npm run fuzz:http -- --seconds 60 --seed 7`.
 *
 * README.md beside this file says what is sent, what is compared and what a finding leaves behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { skipWithout } from '../kit/require.ts';
import { createRequestCase, createResponseCase, type FuzzCase, type UpstreamName } from './cases.ts';
import type { Finding } from './judge-requests.ts';
import { minimise } from './minimise.ts';
import { mutationNames } from './mutations.ts';
import { isInstalled, realServerNames } from './real-servers.ts';
import { readReproduction, writeReproduction } from './reproduction.ts';
import { Scene, type BrokenPromise } from './scene.ts';

const help = `Sends mutated HTTP through the gateway's engine and compares what everybody makes of it.

  npm run fuzz:http                                20 minutes with a seed of its own
  npm run fuzz:http -- --seconds 60 --seed 7       one minute, the same cases on every machine
  npm run fuzz:http -- --only response             hostile upstreams only
  npm run fuzz:http -- --replay /tmp/fuzz-....json one case again

  --seconds N   how long (default 1200)
  --seed N      the first number of all draws (default: from the clock, printed)
  --only KIND   request or response
  --out FOLDER  where a reproduction is written (default: the system's temporary folder)
  --replay FILE runs the cases of a reproduction
  --help        this

Exit code: 0 nothing found, 1 a finding, 2 wrong use.
`;

/** Cases between two comparisons of counts. */
const batchCases = 1_800;
const progressMs = 5_000;
const reportMsMax = 200_000;
const stopMsMax = 5_000;
const minimiseBounds = { triesMax: 400, msMax: 90_000 };

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly only: 'request' | 'response' | undefined;
  readonly out: string;
  readonly replay: string | undefined;
}

class Tally {
  readonly mutations = new Map(mutationNames.map((name) => [name, 0]));
  readonly startedMs = performance.now();
  cases = 0;
  exchanges = 0;
  refused = 0;

  add(cases: readonly FuzzCase[], count: { readonly exchanges: number; readonly refused: number }): void {
    this.cases += cases.length;
    this.exchanges += count.exchanges;
    this.refused += count.refused;
    for (const name of cases.flatMap((fuzzCase) => fuzzCase.mutations))
      this.mutations.set(name, (this.mutations.get(name) ?? 0) + 1);
  }

  line(): string {
    const seconds = (performance.now() - this.startedMs) / 1_000;
    const mutations = [...this.mutations].map(([name, count]) => `${name} ${count}`).join(', ');
    return (
      `${seconds.toFixed(0)} s: ${this.cases} cases (${Math.round(this.cases / seconds)}/s), ${this.exchanges} exchanges, ` +
      `${((100 * this.refused) / Math.max(1, this.cases)).toFixed(1)} % refused | ${mutations}\n`
    );
  }
}

// A gateway that hangs may hold this process too.
process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const servers = realServerNames.filter((name) => {
    const skip = skipWithout(name, isInstalled(name));
    if (skip !== false) say(`${skip}\n`);
    return skip === false;
  });
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-fuzz-'));
  const scene = await Scene.start(folder, servers);
  const upstreams: readonly UpstreamName[] = ['checker', ...servers];
  say(`seed ${options.seed}, ${options.seconds} s, against ${upstreams.join(', ')}\n`);
  // The servers of Debian would outlive this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void within(stopMsMax, scene.stop()).then(() => process.exit(1)));
  let active: readonly FuzzCase[] = [];
  try {
    const onBatch = (cases: readonly FuzzCase[]): void => void (active = cases);
    const verdict = await fuzz(scene, { ...options, upstreams, onBatch });
    if (verdict === undefined) return 0;
    await within(reportMsMax, report(scene, verdict, { ...options, active }));
    return 1;
  } finally {
    await within(stopMsMax, scene.stop());
    rmSync(folder, { recursive: true, force: true });
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function fuzz(
  scene: Scene,
  options: Options & {
    readonly upstreams: readonly UpstreamName[];
    readonly onBatch: (cases: readonly FuzzCase[]) => void;
  },
): Promise<BrokenPromise | undefined> {
  if (options.replay !== undefined) {
    const cases = readReproduction(options.replay);
    options.onBatch(cases);
    const { verdict } = await scene.run(cases);
    say(verdict === undefined ? 'every promise held\n' : '');
    return verdict;
  }
  const tally = new Tally();
  let nextProgressMs = progressMs;
  for (let number = 0; performance.now() - tally.startedMs < options.seconds * 1_000; number += batchCases) {
    const cases = Array.from({ length: batchCases }, (_, index) => {
      const kind = options.only ?? ((number + index) % 3 === 0 ? 'response' : 'request');
      return kind === 'request'
        ? createRequestCase(options.seed, number + index, options.upstreams)
        : createResponseCase(options.seed, number + index);
    });
    options.onBatch(cases);
    const count = await scene.run(cases);
    tally.add(cases, count);
    if (count.verdict !== undefined) return count.verdict;
    if (performance.now() - tally.startedMs < nextProgressMs) continue;
    nextProgressMs += progressMs;
    say(tally.line());
  }
  say(tally.line());
  say(
    `refused by the engine: ${[...scene.refusals]
      .toSorted((a, b) => b[1] - a[1])
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ')}\n`,
  );
  return undefined;
}

/** Finds the case where only the batch is known, makes it small, and leaves a file behind. */
async function report(
  scene: Scene,
  { finding, case: known }: BrokenPromise,
  options: Options & { readonly active: readonly FuzzCase[] },
): Promise<void> {
  say(
    `\nFOUND ${finding.rule}\n${finding.detail}\nseed ${options.seed}, in the batch of cases ${options.active[0]?.number ?? 0} and following\n`,
  );
  const suspects = known === undefined ? options.active : [known];
  // First of all, for what follows may take long or fail: everything that ran, the suspect before the others.
  const whole = writeReproduction(options.out, finding, [...new Set([...suspects, ...options.active])]);
  const found = await findAlone(scene, finding, suspects);
  if (found === undefined) return say(`no case alone does it again; the whole batch is in ${whole}\n`);
  const smallest = await minimise(
    found,
    async (smaller) => (await scene.runAlone(smaller))?.rule === finding.rule,
    minimiseBounds,
  );
  const last = (await scene.runAlone(smallest)) ?? finding;
  const path = writeReproduction(options.out, last, [smallest]);
  say(
    `case ${smallest.number} (${smallest.mutations.join(', ') || 'not mutated'}), ${found.input.length} bytes made ${smallest.input.length}:\n`,
  );
  say(`${JSON.stringify(smallest.input.toString('latin1'))}\n${last.detail}\n`);
  say(`again: node test/sim/fuzz-http.ts --replay ${path}\n`);
}

async function findAlone(
  scene: Scene,
  finding: Finding,
  cases: readonly FuzzCase[],
): Promise<FuzzCase | undefined> {
  const deadlineMs = performance.now() + minimiseBounds.msMax;
  for (const fuzzCase of cases) {
    if (performance.now() > deadlineMs) return undefined;
    if ((await scene.runAlone(fuzzCase))?.rule === finding.rule) return fuzzCase;
  }
  return undefined;
}

function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '1200' },
        seed: { type: 'string' },
        only: { type: 'string' },
        out: { type: 'string', default: tmpdir() },
        replay: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      say(help);
      return 0;
    }
    const { only } = values;
    if (only !== undefined && only !== 'request' && only !== 'response')
      throw new Error(`--only is request or response, not ${only}`);
    const seconds = Number(values.seconds);
    const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : Number(values.seed);
    if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new Error('--seconds and --seed are numbers');
    return { seconds, seed, only, out: values.out, replay: values.replay };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}; see --help\n`);
    return 2;
  }
}

function say(text: string): void {
  process.stdout.write(text);
}
