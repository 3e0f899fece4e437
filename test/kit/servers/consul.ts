import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** An instance as a test registers it. */
export interface Registered {
  readonly id: string;
  /** Empty: the node's. */
  readonly address?: string;
  readonly port: number;
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  readonly checks?: readonly ('passing' | 'warning' | 'critical')[];
}

/** What Consul's HTTP interface says of services: as much of its protocol as a gateway speaks. */
export interface ConsulServer {
  readonly url: string;
  readonly port: number;
  /** Puts these instances of a service in the place of those before; blocking queries are answered. */
  register(service: string, instances: readonly Registered[], dc?: string): void;
  /** Questions so far, newest last. */
  readonly asked: readonly { readonly url: string; readonly token: string | undefined }[];
  /** Questions that wait for a change. */
  waiting(): number;
  /** In place of every answer from now on; undefined answers as ever. */
  fault:
    | { readonly kind: 'status'; readonly status: number }
    | { readonly kind: 'body'; readonly body: string }
    | { readonly kind: 'cut' }
    | undefined;
  /** The index begins anew, as after a restored snapshot. */
  restart(): void;
  /** Cuts every connection. */
  cut(): void;
}

/** What a test may choose. */
export interface ConsulWish {
  /** Who has no such token is refused with 403. */
  readonly token?: string;
  readonly tls?: Pick<ServerOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;
}

const nodeAddress = '127.0.0.1';

/** Starts one that has no service. */
export async function startConsul(
  t: Pick<TestContext, 'after'>,
  { token, tls }: ConsulWish = {},
): Promise<ConsulServer> {
  const services = new Map<string, readonly Registered[]>();
  const waiting = new Set<() => void>();
  const asked: ConsulServer['asked'][number][] = [];
  let index = 10;
  const wake = (): void => {
    for (const answer of waiting) answer();
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '', headers } = request;
    const shown = headers['x-consul-token'];
    asked.push({ url, token: typeof shown === 'string' ? shown : undefined });
    const { pathname, searchParams } = new URL(url, 'http://consul');
    const service = /^\/v1\/health\/service\/([^/]+)$/.exec(pathname)?.[1];
    const answer = (): void => {
      waiting.delete(answer);
      clearTimeout(late);
      const { fault } = consul;
      if (fault?.kind === 'cut') return void response.destroy();
      if (fault?.kind === 'status') return void response.writeHead(fault.status).end('no cluster leader');
      if (fault?.kind === 'body')
        return void response.writeHead(200, { 'x-consul-index': String(index) }).end(fault.body);
      if (token !== undefined && shown !== token)
        return void response.writeHead(403).end('Permission denied');
      if (service === undefined) return void response.writeHead(404).end();
      const key = `${searchParams.get('dc') ?? ''}/${decodeURIComponent(service)}`;
      const list = (services.get(key) ?? []).map((one) => instanceOf(decodeURIComponent(service), one));
      response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': String(index) });
      response.end(JSON.stringify(list));
    };
    const waitMs = Number.parseInt(searchParams.get('wait') ?? '0', 10);
    const mustWait = Number(searchParams.get('index') ?? 0) >= index && consul.fault === undefined;
    const late = mustWait ? setTimeout(answer, waitMs) : undefined;
    if (!mustWait) return answer();
    waiting.add(answer);
    response.once('close', () => (waiting.delete(answer), clearTimeout(late)));
  };
  const server: Server = tls === undefined ? createServer(onRequest) : createSecureServer(tls, onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const consul: ConsulServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    asked,
    fault: undefined,
    waiting: () => waiting.size,
    register(service, instances, dc = '') {
      services.set(`${dc}/${service}`, instances);
      index += 1;
      wake();
    },
    restart() {
      index = 3;
      wake();
    },
    cut: () => server.closeAllConnections(),
  };
  return consul;
}

/** As `GET /v1/health/service/:service` has it, fields that nobody reads included. */
function instanceOf(
  service: string,
  { id, address = '', port, meta = {}, weights = { Passing: 1, Warning: 1 }, checks = [] }: Registered,
): object {
  return {
    Node: { ID: 'b3d8a6a5', Node: 'node-1', Address: nodeAddress, Datacenter: 'dc1', Meta: {} },
    Service: {
      ID: id,
      Service: service,
      Tags: [],
      Address: address,
      Port: port,
      Meta: meta,
      Weights: weights,
      EnableTagOverride: false,
    },
    Checks: [
      { Node: 'node-1', CheckID: 'serfHealth', Name: 'Serf Health Status', Status: 'passing' },
      ...checks.map((Status, at) => ({ Node: 'node-1', CheckID: `service:${id}:${at}`, Status })),
    ],
  };
}
