import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import { type RunningGateway, startGateway } from '../../../data-plane/start.ts';
import { type Clock, systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { tempDir } from '../temp-dir.ts';

/** What a test gateway serves; see {@link startLocalGateway}. */
export interface GatewayWish {
  /** Definitions by file name without ending, or text to write as it is. */
  readonly apis: Readonly<Record<string, object | string>>;
  readonly subscriptions?: readonly object[];
  /** Any part of the gateway's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
}

/** A gateway in this process, on free ports, serving a folder. */
export interface LocalGateway extends RunningGateway {
  readonly url: string;
  readonly nodeApi: string;
  readonly folder: string;
  /** What it logged so far, one JSON text per line. */
  readonly logged: readonly string[];
  /** Writes a definition; it is live a moment later. */
  write(name: string, definition: object | string): void;
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** Has it read again what it can, as SIGHUP would. */
  reload(): Promise<unknown>;
  close(): Promise<void>;
}

/** One request, sent as it is: fetch would add headers and refuse methods. */
export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** Its answer. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Starts a gateway in local mode; it is stopped when the test ends. */
export async function startLocalGateway(
  t: Pick<TestContext, 'after'>,
  wish: GatewayWish,
): Promise<LocalGateway> {
  const dir = tempDir(t, 'isthmus-gateway');
  const folder = join(dir, 'apis');
  mkdirSync(folder);
  const write = (name: string, definition: object | string): void => {
    const file = name.includes('.') ? name : `${name}.json`;
    writeFileSync(
      join(folder, file),
      typeof definition === 'string' ? definition : JSON.stringify(definition),
    );
  };
  for (const [name, definition] of Object.entries(wish.apis)) write(name, definition);
  if (wish.subscriptions !== undefined) write('isthmus', { subscriptions: wish.subscriptions });

  const logged: string[] = [];
  const log = createLog({
    name: 'gateway',
    level: 'info',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const clock = wish.clock ?? systemClock;
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const config = gatewayConfigSchema.parse({
    dataDir: join(dir, 'data'),
    local: folder,
    admin: { port: 0 },
    report: { enabled: false },
    ...wish.config,
    // The test is on its event loop as well: what a busy machine does to that is no overload.
    listen: {
      host: '127.0.0.1',
      port: 0,
      eventLoopLagMsMax: 0,
      ...(wish.config?.['listen'] as object | undefined),
    },
  });
  const gateway = await startGateway({
    config,
    log,
    clock,
    lifecycle,
    metrics: createMetrics(),
    version: '0.0.0-test',
  });
  return {
    ...gateway,
    url: `http://127.0.0.1:${gateway.port}`,
    nodeApi: `http://127.0.0.1:${gateway.adminPort}`,
    folder,
    logged,
    write,
    call: (path, options) => call(gateway.port, path, options),
    reload: () => lifecycle.reload(),
    close: () => lifecycle.close(),
  };
}

/** Sends one request to this machine on a connection of its own. */
export function call(port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : [...value],
      ]),
    );
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            reason: response.statusMessage ?? '',
            headers: response.headers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** A definition with one endpoint and a keyless plan; `changes` replaces its fields. */
export function apiDefinition(
  id: string,
  target: string,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id,
    name: id,
    gravitee: '4.0.0',
    type: 'proxy',
    apiVersion: '1.0',
    listeners: [{ type: 'http', paths: [{ path: `/${id}` }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'default-group',
        type: 'http-proxy',
        endpoints: [{ name: 'default', type: 'http-proxy', configuration: { target } }],
      },
    ],
    plans: { open: { id: 'open', name: 'Open', security: { type: 'KEY_LESS' } } },
    flows: [],
    ...changes,
  };
}

/** A flow at a path, with steps as [policy, configuration]. */
export function flow(
  path: string,
  steps: {
    readonly request?: readonly (readonly [policy: string, configuration: object])[];
    readonly response?: readonly (readonly [policy: string, configuration: object])[];
    readonly methods?: readonly string[];
    readonly pathOperator?: string;
    readonly enabled?: boolean;
  },
): object {
  const write = (list: readonly (readonly [string, object])[] = []): object[] =>
    list.map(([policy, configuration]) => ({ name: policy, enabled: true, policy, configuration }));
  const { methods = [], pathOperator = 'STARTS_WITH', enabled = true } = steps;
  return {
    name: path,
    enabled,
    selectors: [{ type: 'http', path, pathOperator, methods }],
    request: write(steps.request),
    response: write(steps.response),
  };
}

/** The same in version 2, under emulation; `api`, `proxy` and `endpoint` replace fields there. */
export function version2Definition(
  id: string,
  target: string,
  changes: {
    readonly api?: Readonly<Record<string, unknown>>;
    readonly proxy?: Readonly<Record<string, unknown>>;
    readonly endpoint?: Readonly<Record<string, unknown>>;
  } = {},
): Record<string, unknown> {
  return {
    id,
    name: id,
    gravitee: '2.0.0',
    execution_mode: 'v4-emulation-engine',
    plans: [{ id: 'open', name: 'Open', security: 'KEY_LESS' }],
    proxy: {
      virtual_hosts: [{ path: `/${id}` }],
      groups: [{ name: 'main', endpoints: [{ name: 'one', target, ...changes.endpoint }] }],
      ...changes.proxy,
    },
    ...changes.api,
  };
}
