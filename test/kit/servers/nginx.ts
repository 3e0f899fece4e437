import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { freePort } from '../processes/processes.ts';
import { skipWithout } from '../require.ts';
import { tempDir } from '../temp-dir.ts';

// Debian puts it where a user's PATH does not look.
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** For the `skip` of a test that needs nginx. */
export const withoutNginx = skipWithout(
  'nginx',
  spawnSync('nginx', ['-v'], { env, stdio: 'ignore' }).error === undefined,
);

/** A reverse proxy as an operator would set one up. */
export interface NginxProxy {
  readonly url: string;
  /** Writes the configuration anew and waits until it is in force. */
  reload(directives: string): Promise<void>;
}

/** Starts nginx with its defaults in front of a server; directives stand in its `server` block. It stops with the test. */
export async function startNginxProxy(t: TestContext, target: string, directives = ''): Promise<NginxProxy> {
  const dir = tempDir(t);
  const port = await freePort();
  const config = join(dir, 'nginx.conf');
  let generation = 0;
  const write = (more: string): void =>
    writeFileSync(config, configOf({ dir, port, target, more, generation }));
  for (const name of ['body', 'proxy']) mkdirSync(join(dir, name));
  write(directives);
  const child = spawn('nginx', ['-c', config, '-p', dir, '-e', 'stderr'], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const isInForce = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/generation`).catch(() => undefined);
    return (await answer?.text()) === String(generation);
  };
  await eventually(isInForce, { timeoutMs: 10_000 });
  return {
    url,
    async reload(more) {
      generation += 1;
      write(more);
      child.kill('SIGHUP');
      await eventually(isInForce, { timeoutMs: 10_000 });
    },
  };
}

function configOf(wish: {
  readonly dir: string;
  readonly port: number;
  readonly target: string;
  readonly more: string;
  readonly generation: number;
}): string {
  const { dir, port, target, more, generation } = wish;
  // Started as root it would work as nobody, who may not enter a test's folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user} daemon off; worker_processes 1; pid ${dir}/pid;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/proxy; uwsgi_temp_path ${dir}/proxy; scgi_temp_path ${dir}/proxy;
  server {
    listen 127.0.0.1:${port};
    ${more}
    location = /generation { return 200 "${generation}"; }
    location / { proxy_pass ${target}; proxy_http_version 1.1; proxy_set_header Host $http_host; }
  }
}
`;
}
