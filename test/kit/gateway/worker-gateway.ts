import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { createSpoolReader } from '../../../proto/spool/reader.ts';
import { listSpools } from '../../../proto/spool/folder.ts';
import { eventually } from '../eventually.ts';
import { type Answer, type CallOptions, call } from './gateway.ts';
import { type HouseProcess, startIsthmus } from '../processes/processes.ts';
import { tempDir } from '../temp-dir.ts';

/** `isthmus gateway --local` with workers, as an operator starts it. */
export interface WorkerGateway {
  readonly process: HouseProcess;
  /** Of several servers the first's. */
  readonly port: number;
  /** Of several servers, by id. */
  readonly ports: ReadonlyMap<string, number>;
  readonly url: string;
  readonly nodeApi: string;
  readonly dataDir: string;
  /** Writes a definition; it is live a moment later. */
  write(name: string, definition: object): void;
  /** One request on a connection of its own. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  health(): Promise<WorkerHealth>;
  metrics(): Promise<string>;
  /** One number of `/metrics`, 0 when it is not there. */
  metric(line: string): Promise<number>;
  /** Ids of all processes that serve. */
  serving(): Promise<readonly number[]>;
  /** Begins a rolling replace and waits until every worker is another one. */
  replace(): Promise<void>;
  /** `request_id` of every access record on disk, as often as it is there. */
  recorded(): Promise<readonly string[]>;
}

/** What `/health` says of workers. */
export interface WorkerHealth {
  readonly status: string;
  readonly degraded: readonly string[];
  readonly workers: {
    readonly wanted: number;
    readonly serving: number;
    readonly isReplacing: boolean;
    readonly lost: number;
    readonly processes: readonly {
      readonly pid: number;
      readonly state: string;
      readonly seqs: Readonly<Record<string, number>>;
      readonly connections: number;
    }[];
  };
}

/** What a test may choose. */
export interface WorkerGatewayWish {
  readonly apis: Readonly<Record<string, object>>;
  /** Default: 2. */
  readonly workers?: number;
  /** `path=value`, as on the command line. */
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where an earlier one kept its files; default: a new folder. */
  readonly dataDir?: string;
}

/** Starts one and waits until it serves. */
export async function startWorkerGateway(
  t: Pick<TestContext, 'after'>,
  wish: WorkerGatewayWish,
): Promise<WorkerGateway> {
  const dir = tempDir(t, 'isthmus-workers');
  const folder = join(dir, 'apis');
  const dataDir = wish.dataDir ?? join(dir, 'data');
  mkdirSync(folder);
  const write = (name: string, definition: object): void =>
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(definition));
  for (const [name, definition] of Object.entries(wish.apis)) write(name, definition);
  const settings = [
    `workers=${wish.workers ?? 2}`,
    ...(wish.set?.some((setting) => setting.startsWith('servers=')) === true
      ? []
      : ['listen.host=127.0.0.1', 'listen.port=0']),
    'admin.port=0',
    'lameDuckMs=0',
    // A machine on which others work, or a process that was stopped, is late; whoever tests that says so.
    'listen.eventLoopLagMsMax=0',
    ...(wish.set ?? []),
  ];
  const child = startIsthmus(
    t,
    [
      'gateway',
      '--local',
      folder,
      '--data-dir',
      dataDir,
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    wish.env === undefined ? {} : { env: wish.env },
  );
  const said = (): RegExpExecArray | null =>
    /gateway listening on ports? ([^\n]+), node API on port (\d+)/.exec(child.output());
  await eventually(() => !child.isRunning() || said() !== null, { timeoutMs: 60_000 });
  const [, listening = '', adminPort = ''] = said() ?? [];
  const port = Number.parseInt(listening, 10);
  const ports = new Map(
    [...listening.matchAll(/(\d+) \(([^)]+)\)/g)].map(([, at, id = '']) => [id, Number(at)]),
  );
  if (adminPort === '') throw new Error(child.output());
  const nodeApi = `http://127.0.0.1:${adminPort}`;
  const health = async (): Promise<WorkerHealth> =>
    (await (await fetch(`${nodeApi}/health`)).json()) as WorkerHealth;
  const metrics = async (): Promise<string> => (await fetch(`${nodeApi}/metrics`)).text();
  const serving = async (): Promise<readonly number[]> =>
    (await health()).workers.processes.filter(({ state }) => state === 'serving').map(({ pid }) => pid);
  return {
    process: child,
    port,
    ports,
    url: `http://127.0.0.1:${port}`,
    nodeApi,
    dataDir,
    write,
    call: (path, options) => call(port, path, options),
    health,
    metrics,
    metric: async (line) =>
      Number(new RegExp(`^${escape(line)} (\\S+)$`, 'm').exec(await metrics())?.[1] ?? 0),
    serving,
    async replace() {
      const before = await serving();
      const answer = await fetch(`${nodeApi}/workers/_replace`, { method: 'POST' });
      if (answer.status !== 202) throw new Error(`replace: ${answer.status} ${await answer.text()}`);
      await eventually(
        async () => {
          const { workers } = await health();
          return !workers.isReplacing && workers.processes.every(({ pid }) => !before.includes(pid));
        },
        { timeoutMs: 60_000, everyMs: 50 },
      );
    },
    recorded: () => recordedIn(join(dataDir, 'spool')),
  };
}

async function recordedIn(dir: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const ref of await listSpools(dir)) {
    if (ref.stream !== 'records') continue;
    const reader = createSpoolReader({ dir: ref.dir, spool: ref.spool, from: 0 });
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read()) {
      for (const entry of entries) {
        if (entry.kind === 'gap') throw new Error(`records are missing: ${JSON.stringify(entry)}`);
        for (const line of Buffer.from(entry.lines).toString().trimEnd().split('\n'))
          ids.push((JSON.parse(line) as { readonly request_id: string }).request_id);
      }
    }
    await reader.close();
  }
  return ids;
}

const escape = (text: string): string => text.replaceAll(/[{}.]/g, '\\$&');
