import { z } from 'zod';

import { invariant } from '../../proto/faults/fault.ts';
import { ListenHost, ListenPort } from '../../proto/process/listen-settings.ts';
import { GatewayListenTls, isSecured } from '../../proto/process/listening/tls-settings.ts';
import { NetworkSchema } from '../../proto/process/peers.ts';
import { replacing, section } from '../../proto/process/settings.ts';
import type { ServerHttp2 } from '../http/exchange.ts';

const ms = z.int().min(1);

/** How a gateway listens: where, when it has one server, and what holds for each that it has. */
export const listenSettings = section({
  host: ListenHost.default('0.0.0.0').describe('Address to listen on.'),
  port: ListenPort.default(8_082).describe('Port; 0 takes a free one.'),
  tls: GatewayListenTls,
  http2: section({
    clearText: z
      .boolean()
      .default(false)
      .describe(
        'On a listener without TLS: clients that know it beforehand may speak HTTP/2 (gRPC without TLS). There is no `Upgrade: h2c`.',
      ),
    streamsMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe('Most requests at a time on one connection of HTTP/2; what comes past it is refused unread.'),
    streamWindowBytes: z
      .int()
      .min(1_024)
      .max(16_777_216)
      .default(65_535)
      .describe('What a client of HTTP/2 may send of one body before somebody has read of it.'),
    cancelsMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(200)
      .describe(
        'Requests that the client of one connection of HTTP/2 may take back at once before they are answered; past it the connection ends.',
      ),
    cancelsPerSecondMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(50)
      .describe('How many of them a second it may take back after that.'),
    controlFramesPerSecondMax: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100)
      .describe('Most PING and SETTINGS of one connection of HTTP/2 a second; past it the connection ends.'),
  }),
  requestLineBytesMax: z.int().min(256).default(8_192).describe('Longest request line; past it 414.'),
  headerBytesMax: z.int().min(1_024).default(32_768).describe('Largest request head; past it 431.'),
  headersMax: z.int().min(10).default(100).describe('Most header lines of a request; past it 431.'),
  headerMsMax: ms.default(10_000).describe('Longest time for a request head to arrive; past it 408.'),
  idleMsMax: ms.default(60_000).describe('A connection without a request is closed after this time.'),
  answerIdleMsMax: ms
    .default(300_000)
    .describe(
      'Whose client takes no byte of an answer for so long is cut off: the connection of HTTP/1.1, the stream of HTTP/2; its connection to the backend ends with it. Kernels take megabytes ahead and ask for more when a third of that has left: of a client of 5 KB/s nothing may be seen to move for some minutes.',
    ),
  answerBytesPerSecondMin: z
    .int()
    .min(0)
    .default(240)
    .describe(
      'Whose client takes what waits for it of an answer slower than this is cut off as well, judged over 1.5 times answerIdleMsMax; 0 is no bound.',
    ),
  requestMsMax: z
    .int()
    .min(0)
    .default(0)
    .describe('Longest time from a request head to the last byte of its answer; 0 is no bound.'),
  bodyBytesMax: z
    .int()
    .min(0)
    .default(1_073_741_824)
    .describe('Largest request body that is passed on; past it 413.'),
  bodyBytesPerSecondMin: z
    .int()
    .min(0)
    .default(128)
    .describe(
      'A request body that is waited for comes at least this fast until its answer begins, else 408; 0 is no bound. From then on, and of gRPC from the start of the call, both sides may be silent: the bound is tunnelIdleMsMax.',
    ),
  connectionsMax: z.int().min(1).default(20_000).describe('Most open client connections.'),
  connectionsPerSourceMax: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Most open client connections from one address (IPv6: one /64).'),
  requestsPerConnectionMax: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe('After so many requests a connection is closed with its answer.'),
  tunnelIdleMsMax: ms
    .default(3_600_000)
    .describe(
      'A WebSocket or other tunnel that is silent in both directions is closed after this time. So is a request whose body goes on while its answer does, or that is gRPC: its connection of HTTP/1.1 or its stream of HTTP/2 is reset, and a caller of gRPC hears UNAVAILABLE.',
    ),
  eventLoopLagMsMax: z
    .int()
    .min(0)
    .default(500)
    .describe(
      'While the event loop lags more than this, new requests get 503 with Retry-After; 0 is no bound.',
    ),
  trustedProxies: z
    .array(NetworkSchema)
    .default([])
    .describe(
      'Networks or addresses of proxies in front whose X-Forwarded-* and Forwarded are believed; from all others these and X-Real-IP are taken away. `isthmus up` believes private networks unless told.',
    ),
  mergeSlashes: z.boolean().default(false).describe('Whether repeated slashes in a path are one.'),
  encodedSlash: z
    .enum(['keep', 'refuse'])
    .default('keep')
    .describe('What becomes of %2F in a path: kept as it is, or refused with 400.'),
}).refine(({ tls, http2 }) => !isSecured(tls) || !http2.clearText, {
  path: ['http2', 'clearText'],
  error: 'is for a listener without TLS; with TLS, HTTP/2 is listen.tls.alpn',
});

const serverSchema = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,128}$/, 'must be 1 to 128 letters, digits, - _ .'),
  host: ListenHost.default('0.0.0.0'),
  port: ListenPort,
  tls: GatewayListenTls,
});

/** Servers past it are no addresses of one gateway any more. */
const serversMax = 32;

/** Several servers in the place of the one that `listen` describes. */
export const serversSettings = replacing(
  z
    .array(serverSchema)
    .max(serversMax)
    .superRefine((servers, context) => {
      servers.forEach(({ id, host, port }, index) => {
        const before = servers.slice(0, index);
        const sameId = before.findIndex((other) => other.id === id);
        const sameAddress =
          port === 0 ? -1 : before.findIndex((other) => other.host === host && other.port === port);
        if (sameId !== -1)
          context.addIssue({ code: 'custom', path: [index, 'id'], message: `is that of servers[${sameId}]` });
        if (sameAddress !== -1)
          context.addIssue({
            code: 'custom',
            path: [index, 'port'],
            message: `is that of servers[${sameAddress}] on the same host`,
          });
      });
    })
    .default([])
    .describe(
      'Servers in place of the one that listen.host, listen.port and listen.tls describe, as {id, port, host, tls}: host is 0.0.0.0 unless told, tls has the settings of listen.tls. A listener of a definition chooses among them by id (`servers`); one that names none is served by all. Everything else in `listen` holds for each of them by itself: listen.connectionsMax, say, is for each.',
    ),
  ['listen.host', 'listen.port', 'listen.tls'],
);

/** The settings that say where a gateway listens. */
export interface ServersConfig {
  readonly listen: z.output<typeof listenSettings>;
  readonly servers: z.output<typeof serversSettings>;
}

/** A server of a gateway, as the settings have it. */
export interface ServerSettings extends Omit<z.output<typeof serverSchema>, 'tls'> {
  readonly tls?: z.output<typeof GatewayListenTls>;
  /** What holds it, e.g. `listen`, or `servers[1]`. */
  readonly setting: string;
}

/** What the server is called that `listen` describes. */
export const onlyServer = 'http';

/** The servers of a gateway; there is always one at least. */
export function serversOf({ listen, servers }: ServersConfig): readonly ServerSettings[] {
  const { host, port, tls } = listen;
  if (servers.length === 0) return [{ id: onlyServer, host, port, tls, setting: 'listen' }];
  return servers.map((server, index) => ({ ...server, setting: `servers[${index}]` }));
}

/** How a server speaks HTTP/2. Undefined where no client can: nothing of it is loaded then. */
export function http2Of(
  { tls }: ServerSettings,
  { listen: { http2 } }: ServersConfig,
): ServerHttp2 | undefined {
  const alpn = isSecured(tls) && tls.alpn.includes('h2');
  const clearText = !isSecured(tls) && http2.clearText;
  if (!alpn && !clearText) return undefined;
  return { ...http2, alpn, clearText, hasHttp11: tls?.alpn.includes('http/1.1') !== false };
}

/** Header in which a TLS terminator before a server says whom it shook hands with, in lower case, by the server's id. */
export function certificateHeadersOf(config: ServersConfig): ReadonlyMap<string, string> {
  return new Map(
    serversOf(config).flatMap(({ id, tls }) =>
      tls?.clientCertificateHeader === undefined ? [] : [[id, tls.clientCertificateHeader.toLowerCase()]],
    ),
  );
}

/** A server as the node API shows it. */
export interface ServerState {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly speaksTls: boolean;
}

/** The servers of a gateway, on the ports that they have. */
export function describeServers(
  config: ServersConfig,
  ports: ReadonlyMap<string, number>,
): readonly ServerState[] {
  return serversOf(config).map(({ id, host, port, tls }) => ({
    id,
    host,
    port: ports.get(id) ?? port,
    speaksTls: isSecured(tls),
  }));
}

/** Where a gateway listens, for its log: the port of its one server, or those of several by their ids. */
export function portFacts(config: ServersConfig, ports: ReadonlyMap<string, number>): object {
  return config.servers.length === 0 ? { port: firstPort(ports) } : { ports: Object.fromEntries(ports) };
}

/** Of the one server, or the first of several. */
export function firstPort(ports: ReadonlyMap<string, number>): number {
  const [port] = ports.values();
  invariant(port !== undefined, 'a gateway has a server');
  return port;
}
