import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startLoad } from '../kit/servers/load.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { startPlatform, type Platform } from '../kit/processes/up.ts';
import { isWithin } from '../kit/pace.ts';

/*
 * The spool's disk stops answering: a real file system, frozen by the kernel. Machines that may not mount have the same
 * promise tested with files that block (data-plane/report/reporter.test.ts).
 */

test('a frozen spool disk stops no traffic, lags the event loop at most 100 ms, is said, and loses nothing', async (t) => {
  const disk = createDisk(t);
  const dir = tempDir(t, 'isthmus-frozen');
  if (!disk.mountAt(join(dir, 'gateway', 'spool'))) {
    return t.diagnostic(
      'this machine mounts no loop device; the promise is tested with files that block instead',
    );
  }
  const up = await startPlatform(t, { dir });
  const load = startLoad({ urls: [`${up.gateway}/demo/echo`], concurrency: 8, pauseMs: 2 });
  t.after(() => load.stop());
  await eventually(() => load.answeredSoFar() > 200);
  assert.equal(await spoolState(up), 'ok');

  disk.freeze();
  // Read once before, so that the figure is of the frozen time alone.
  await lagMsMax(up);
  await eventually(async () => (await spoolState(up)) === 'degraded');
  const answeredFrozen = load.answeredSoFar();
  await eventually(() => load.answeredSoFar() > answeredFrozen + 1_000, { timeoutMs: 20_000 });
  const lagMs = await lagMsMax(up);
  t.diagnostic(`event loop lag at most ${lagMs.toFixed(0)} ms while the disk was frozen`);
  isWithin(lagMs, { msMax: 100, what: 'the event loop lagged' });
  assert.equal((await fetch(`${up.nodeApi}/health/ready`)).status, 200, 'who is degraded is still ready');

  disk.thaw();
  await eventually(async () => (await spoolState(up)) === 'ok', { timeoutMs: 20_000 });
  const result = await load.stop();
  assert.deepEqual([result.failed, result.unexpected], [[], []]);
  await eventually(async () => (await countOfEcho(up)) >= result.answered.size, {
    timeoutMs: 30_000,
    everyMs: 250,
  });
  assert.equal(await countOfEcho(up), result.answered.size);
});

async function spoolState(up: Platform): Promise<string> {
  const health = (await (await fetch(`${up.nodeApi}/health`)).json()) as {
    spool: { state: string };
    degraded: readonly string[];
  };
  assert.deepEqual(health.degraded, health.spool.state === 'degraded' ? ['spool'] : []);
  return health.spool.state;
}

/** The longest lag since it was asked for last. */
async function lagMsMax(up: Platform): Promise<number> {
  const text = await (await fetch(`${up.nodeApi}/metrics`)).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1_000;
}

async function countOfEcho({ client }: Platform): Promise<number> {
  const apis = await client.call<{ data: { id: string; name: string }[] }>(
    'GET',
    '/v2/environments/DEFAULT/apis',
  );
  const echo = apis.data.find((api) => /echo/i.test(api.name))?.id;
  const path = `/v2/environments/DEFAULT/apis/${echo}/analytics/requests-count?from=0&to=${Date.now() + 60_000}`;
  return (await client.call<{ total: number }>('GET', path)).total;
}

/**
 * A small file system in a file. Its hook comes first: whoever writes to a frozen one waits for ever. It is detached, and goes
 * with the last process that has it open.
 */
function createDisk(t: TestContext) {
  let mounted: string | undefined;
  const thaw = (): void => {
    if (mounted !== undefined) run('fsfreeze', '--unfreeze', mounted);
  };
  t.after(() => {
    thaw();
    if (mounted !== undefined) run('umount', '--lazy', mounted);
  });
  const image = join(tempDir(t, 'isthmus-disk'), 'image');
  return {
    thaw,
    mountAt(dir: string): boolean {
      mkdirSync(dir, { recursive: true });
      const isMounted =
        process.getuid?.() === 0 &&
        run('truncate', '--size', '256M', image) &&
        run('mkfs.ext4', '-q', image) &&
        run('mount', '-o', 'loop', image, dir);
      if (isMounted) mounted = dir;
      return isMounted;
    },
    freeze(): void {
      assert.ok(mounted !== undefined && run('fsfreeze', '--freeze', mounted));
    },
  };
}

function run(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
