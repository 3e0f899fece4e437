import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openStorage } from '../../../control-plane/storage/storage.ts';
import { createLog } from '../../../proto/process/log.ts';
import { eventually } from '../eventually.ts';
import type { TestDatabase } from '../servers/databases.ts';
import { tempDir } from '../temp-dir.ts';
import { type HouseProcess, startIsthmus } from './processes.ts';

const log = createLog({ name: 'test', level: 'silent' });

/** Of the first user, `admin`, of each. */
export const installationPassword = 'correct-horse-battery';

/** A control plane's folder and database, on which commands of the house are run as processes. */
export interface Installation {
  readonly dir: string;
  readonly url: string | undefined;
  /** A backup of what its first start has made. */
  readonly backup: string;
  /** Runs a command on it to its end; of settings and flags that are said twice, `over` counts. */
  run(
    args: readonly string[],
    over?: readonly string[],
  ): Promise<{ readonly code: number; readonly said: string }>;
  /** Starts a control plane on ports of its own, and waits for nothing. */
  startUnready(over?: readonly string[]): HouseProcess;
  /** Starts one and waits until it serves. */
  start(over?: readonly string[]): Promise<HouseProcess>;
  /** Of its environments; a restore raises them. */
  epochs(): Promise<readonly number[]>;
}

type Made = Pick<Installation, 'dir' | 'url'>;
const made = new Map<TestDatabase, Promise<Made>>();

/** A database that a control plane has made, and a backup of it; made once in a process and copied. */
export async function install(t: TestContext, database: TestDatabase): Promise<Installation> {
  if (!made.has(database)) made.set(database, makeOnce(t, database));
  const first = await made.get(database);
  const dir = tempDir(t);
  cpSync(first?.dir ?? '', dir, { recursive: true });
  return openInstallation(t, { dir, url: await database.copy(first?.url) });
}

async function makeOnce(t: TestContext, database: TestDatabase): Promise<Made> {
  // It stays until the process ends.
  const dir = tempDir({ after: () => undefined });
  const { url, backup, run, start } = openInstallation(t, { dir, url: await database.create() });
  const first = await start();
  assert.equal((await run(['backup', backup])).code, 0);
  first.kill('SIGTERM');
  assert.equal(await first.ended, 0, first.output());
  return { dir, url };
}

/** One of which nothing is made yet. */
export function openInstallation(t: TestContext, { dir, url }: Made): Installation {
  const backup = join(dir, 'isthmus.backup');
  const settings = [
    ...(url === undefined ? [] : ['--set', `database.url=${url}`]),
    '--set',
    `blobs.dir=${join(dir, 'bucket')}`,
    '--data-dir',
    dir,
  ];
  const run: Installation['run'] = async (args, over = []) => {
    const child = startIsthmus(t, [...args, ...settings, ...over]);
    return { code: await child.ended, said: child.output() };
  };
  const startUnready: Installation['startUnready'] = (over = []) => {
    const ports = ['listen.port=0', 'admin.port=0', 'lameDuckMs=0'].flatMap((pair) => ['--set', pair]);
    return startIsthmus(t, ['control-plane', ...settings, ...ports, ...over], {
      env: { ISTHMUS_ADMIN_PASSWORD: installationPassword },
    });
  };
  const start: Installation['start'] = async (over) => {
    const child = startUnready(over);
    await eventually(() => isServing(child), { timeoutMs: 60_000 });
    return child;
  };
  const epochs = async (): Promise<readonly number[]> => {
    const storage = await openStorage({ url, dataDir: dir, log, mode: 'existing' });
    const rows = await storage.db.selectFrom('environment').select('epoch').execute();
    await storage.close();
    return rows.map(({ epoch }) => epoch);
  };
  return { dir, url, backup, run, startUnready, start, epochs };
}

function isServing(child: HouseProcess): boolean {
  if (!child.isRunning()) throw new Error(`the control plane ended:\n${child.output()}`);
  return child.output().includes('control plane listening');
}
