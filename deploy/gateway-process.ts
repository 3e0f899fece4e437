import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { GatewayConfig } from '../data-plane/config.ts';
import { secretVariablePrefix } from '../data-plane/secret-references.ts';
import type { LogLevel } from '../proto/process/log.ts';
import type { ProcessParts } from './run-process.ts';
import { PartFailure, type Explanation } from './terminal.ts';

/** How the gateway's process logs, and what it loads before it is told more; on its command line, so nothing secret. */
export interface GatewayWish {
  readonly level: LogLevel;
  readonly secretParameters: readonly string[];
  /** It serves no folder of definitions. */
  readonly followsBridge: boolean;
}

/** What it starts. */
export interface GatewayStart {
  readonly config: GatewayConfig;
  /** Where the backend of the demo APIs listens. */
  readonly echoPort: number;
}

/** What `up` says to it. */
export type ToGateway =
  | ({ readonly kind: 'start' } & GatewayStart)
  | { readonly kind: 'reload' }
  | { readonly kind: 'close'; readonly asked: NodeJS.Signals | undefined };

/** What it says. */
export type FromGateway =
  | ({ readonly kind: 'listening' } & GatewayPorts)
  | ({ readonly kind: 'failed' } & Explanation);

/** Where it listens. */
export interface GatewayPorts {
  /** Of each server, by its id. */
  readonly ports: readonly (readonly [server: string, port: number])[];
  readonly adminPort: number;
}

/** The gateway's process as `up` sees it. */
export interface GatewayProcess {
  /** Errors: a {@link PartFailure} with its own words and exit code when it does not start. */
  start(wish: GatewayStart): Promise<GatewayPorts>;
  /** Has it read again what it can, as SIGHUP would; it says itself what came of it. */
  reload(): void;
  /** Has it end as a signal would, and waits for that; past `closeMsMax` it is killed. */
  close(asked: NodeJS.Signals | undefined): Promise<void>;
}

/**
 * Forks the process that the gateway of `up` runs in: what the control plane computes holds up no request.
 *
 * Both live and die together: when it ends unasked, `up` closes with its exit code; when `up` is gone, the channel breaks and it ends.
 * Its log goes to the same standard error, under its own name.
 */
export function forkGateway(
  { closeMsMax, ...wish }: GatewayWish & { readonly closeMsMax: number },
  { log, clock, lifecycle }: ProcessParts,
): GatewayProcess {
  const child = forkMain(wish);
  const listening = Promise.withResolvers<GatewayPorts>();
  const ended = Promise.withResolvers<void>();
  let isReady = false;
  let isClosing = false;
  let failure: Explanation | undefined;
  // It may fail while nobody waits for it yet; whoever does later is told.
  listening.promise.catch(() => undefined);

  child.on('message', (message: FromGateway) => {
    if (message.kind === 'failed') failure = message;
    else {
      isReady = true;
      listening.resolve(message);
    }
  });
  const end = (how: string, exitCode: number): void => {
    ended.resolve();
    if (isClosing) return;
    if (isReady) {
      log.fatal({ how, exitCode }, 'the gateway ended; everything ends with it');
      void lifecycle.end(exitCode);
      return;
    }
    const text = `isthmus: the gateway ended before it was ready (${how})`;
    listening.reject(new PartFailure(failure ?? { text, exitCode }));
  };
  child.once('error', (error) => end(error.message, 1));
  child.once('exit', (code, signal) =>
    signal === null ? end(`exit code ${code ?? 0}`, code ?? 0) : end(signal, 128 + constants.signals[signal]),
  );
  // A start that is waited for while everything closes comes to nothing.
  lifecycle.signal.addEventListener('abort', () => listening.reject(lifecycle.signal.reason));

  return {
    start(start) {
      send(child, { kind: 'start', ...start });
      return listening.promise;
    },
    reload: () => send(child, { kind: 'reload' }),
    async close(asked) {
      isClosing = true;
      send(child, { kind: 'close', asked });
      const cancel = clock.after(closeMsMax, () => {
        log.error({ closeMsMax }, 'the gateway did not end in time and is killed');
        child.kill('SIGKILL');
      });
      await ended.promise;
      cancel();
    },
  };
}

/** Unless it is gone: then there is an exit to hear of. */
function send(child: ChildProcess, message: ToGateway): void {
  if (child.connected) child.send(message, () => undefined);
}

function forkMain(wish: GatewayWish): ChildProcess {
  // The packed program is JavaScript; a checkout runs the source.
  const file = import.meta.url.endsWith('.ts') ? './gateway-main.ts' : './gateway-main.js';
  const cache = getCompileCacheDir();
  // Settings come by message: the admin's password and the secrets of others have no business in its environment. What definitions may
  // read there was put there for the gateway.
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ISTHMUS_') || name.startsWith(secretVariablePrefix),
  );
  return fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(wish)], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...Object.fromEntries(kept), ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) },
  });
}
