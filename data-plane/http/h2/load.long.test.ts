import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { skipWithout } from '../../../test/kit/require.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const run = promisify(execFile);

function hasH2load(): boolean {
  try {
    execFileSync('h2load', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** How many requests h2load says came to which end. */
async function load(port: number, path: string, ...more: readonly string[]): Promise<string> {
  const { stdout } = await run('h2load', [...more, `http://127.0.0.1:${port}${path}`]);
  return /^requests: .*$/m.exec(stdout)?.[0] ?? stdout;
}

test(
  'no request of h2load fails: many streams on few connections, many connections, bodies both ways',
  { skip: skipWithout('nghttp2-client', hasH2load()), timeout: 300_000 },
  async (t) => {
    const upstream = await startUpstream(t);
    const gateway = await startLocalGateway(t, {
      apis: { a: apiDefinition('a', upstream.url) },
      config: { listen: { http2: { clearText: true } } },
    });
    for (const [path, ...wish] of [
      ['/a', '-n', '40000', '-c', '4', '-m', '100'],
      ['/a', '-n', '20000', '-c', '200', '-m', '5'],
      ['/a?bytes=100000', '-n', '2000', '-c', '4', '-m', '50'],
      ['/a', '-n', '4000', '-c', '4', '-m', '50', '-d', import.meta.filename],
    ] as const) {
      const count = wish[1];
      const said = await load(gateway.port, path, ...wish);
      assert.equal(
        said,
        `requests: ${count} total, ${count} started, ${count} done, ${count} succeeded, 0 failed, 0 errored, 0 timeout`,
      );
    }
  },
);
