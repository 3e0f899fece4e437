import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';

import { eventually } from '../eventually.ts';
import { freePort } from '../processes/processes.ts';
import { skipWithout } from '../require.ts';
import { tempDir } from '../temp-dir.ts';

/** For the `skip` of a test that needs Redis. */
export const withoutRedis = skipWithout(
  'redis-server',
  spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error === undefined,
);

/** A Redis of one test, empty and in memory alone. */
export interface TestRedis {
  readonly url: string;
  /** It stands still, and goes on, with all its connections. */
  pause(): void;
  resume(): void;
  /** Ends it; what it knew is gone. */
  stop(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Names of all keys. */
  keys(): Promise<readonly string[]>;
  /** Says one command on a connection of its own; the answer as it comes, errors too. */
  say(command: string): Promise<string>;
  readonly port: number;
}

/** What a test may choose. */
export interface RedisWish {
  readonly tls?: RedisTls;
  /** Settings, as on its command line: `['--maxmemory', '2mb']`. */
  readonly set?: readonly string[];
}

/** Files of a Redis that speaks TLS. */
export interface RedisTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Starts one; it ends with the test. */
export async function startRedis(
  t: Pick<TestContext, 'after'>,
  password = 'of-redis',
  { tls, set = [] }: RedisWish = {},
): Promise<TestRedis> {
  const port = await freePort();
  const tlsPort = await freePort();
  const dir = tempDir(t);
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    await endProcess(ending);
  };
  const ofTls =
    tls === undefined
      ? []
      : [
          '--tls-port',
          String(tlsPort),
          '--tls-auth-clients',
          'no',
          '--tls-cert-file',
          tls.certFile,
          '--tls-key-file',
          tls.keyFile,
          '--tls-ca-cert-file',
          tls.caFile,
        ];
  const start = async (): Promise<void> => {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', password, ...ofTls];
    child = spawn('redis-server', [...settings, '--save', '', '--dir', dir, ...set], { stdio: 'ignore' });
    await eventually(async () => (await say(port, password, 'PING').catch(() => '')).includes('+PONG'), {
      timeoutMs: 10_000,
    });
  };
  t.after(stop);
  await start();
  return {
    url: `redis${tls === undefined ? '' : 's'}://:${password}@127.0.0.1:${tls === undefined ? port : tlsPort}`,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stop,
    start,
    port,
    say: (command) => say(port, password, command),
    keys: async () => textsOf(await say(port, password, 'KEYS *')),
  };
}

/** Kills one that may have ended by itself, or stand still, and waits for its end. */
export async function endProcess(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await ended;
}

/** All texts of an answer. */
export function textsOf(answer: string): readonly string[] {
  return [...answer.matchAll(/^\$\d+\r\n(.*)\r$/gm)].map(([, text]) => text ?? '');
}

/** Says one command and reads until the server closes. */
export function say(port: number, password: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    // A sentinel does not know QUIT.
    socket.end(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`);
  });
}
