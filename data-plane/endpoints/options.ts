import { isIP } from 'node:net';

import type { SharedConfiguration } from '../../proto/model/api.ts';
import type { UpstreamHttp2, UpstreamOptions, UpstreamProxy } from '../http/exchange.ts';
import type { CalledUrl } from './called-url.ts';
import { judgeStores, readStores } from './stores.ts';
import { type Variables, systemProxyOf } from './system-proxy.ts';
import { isHopByHop } from '../http/message/field-kind.ts';

/** What a definition says of connections; the rest is the gateway's own. */
export type DefinedOptions = Omit<UpstreamOptions, 'ageMsMax' | 'dnsTtlMs'> & {
  /** The name by which the host, an address, was found. */
  readonly foundBy?: string | undefined;
};

/** How to open connections, and what an operator must be told about it. */
export interface TranslatedOptions {
  readonly options: DefinedOptions;
  /** Sentences for the log, at level WARN. */
  readonly warnings: readonly string[];
}

/** Where a configuration stands, e.g. `endpointGroups[0].sharedConfiguration`, and what surrounds the gateway. */
export interface ConfigurationPlace {
  readonly at: string;
  readonly environment: Variables;
}

/**
 * Translates a target and its configuration into what an engine needs to open connections.
 *
 * Errors: request.invalid with the path of what cannot be used on this gateway: a store, a file, the system's proxy.
 */
export function upstreamOptions(
  { url: target, isGrpc }: CalledUrl,
  { headers, http, ssl, proxy }: SharedConfiguration,
  { at, environment }: ConfigurationPlace,
): TranslatedOptions {
  const scheme = target.protocol === 'https:' ? 'https' : 'http';
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = target.port === '' ? (scheme === 'https' ? 443 : 80) : Number(target.port);
  const throughProxy = proxyOf(proxy, { scheme, host, port }, environment);
  const warnings: string[] = [];
  if (scheme === 'https' && ssl.trustAll)
    warnings.push(
      `${at}.ssl.trustAll is on: whoever answers for ${host} is taken for it; nothing is verified.`,
    );
  for (const { name } of headers)
    if (isHopByHop(name))
      warnings.push(
        `${at}.headers: ${name} is of the connection, which is the gateway's own; it is not sent.`,
      );
  if (throughProxy === 'unset')
    warnings.push(`${at}.proxy: the environment names no proxy for ${host}; it is called directly.`);
  if (scheme === 'http') judgeStores(ssl, `${at}.ssl`);
  const options: DefinedOptions = {
    scheme,
    host,
    port,
    connectMsMax: http.connectTimeout,
    readMsMax: shorter(http.readTimeout, http.idleTimeout),
    // An event stream may rest for longer than a backend may think.
    bodyMsMax: http.idleTimeout,
    idleMsMax: http.keepAliveTimeout,
    keepAlive: http.keepAlive,
    connectionsMax: http.maxConcurrentConnections,
    queueMax: http.maxWaitQueueSize,
    headerBytesMax: 65_536,
    headersMax: 200,
    proxy: typeof throughProxy === 'string' ? undefined : throughProxy,
    tls:
      scheme === 'http'
        ? undefined
        : {
            rejectUnauthorized: !ssl.trustAll,
            verifyHost: ssl.hostnameVerifier && !ssl.trustAll,
            servername: isIP(host) === 0 ? host : undefined,
            ...readStores(ssl, `${at}.ssl`),
          },
    ...((isGrpc || http.version === 'HTTP_2') && { http2: http2Of(http, isGrpc) }),
  };
  return { options, warnings };
}

function http2Of(http: SharedConfiguration['http'], isRequired: boolean): UpstreamHttp2 {
  const limit = (value: number): number | undefined => (value === -1 ? undefined : value);
  return {
    isRequired,
    streamsMax: limit(http.http2MultiplexingLimit),
    connectionWindowBytes: limit(http.http2ConnectionWindowSize),
    streamWindowBytes: limit(http.http2StreamWindowSize),
    frameBytesMax: http.http2MaxFrameSize,
  };
}

function proxyOf(
  proxy: SharedConfiguration['proxy'],
  target: { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number },
  environment: Variables,
): UpstreamProxy | 'excluded' | 'unset' | undefined {
  if (!proxy.enabled) return undefined;
  if (proxy.useSystemProxy) return systemProxyOf(target, environment);
  const { host = '', port = 0, username = '', password = '' } = proxy;
  const kind = kinds[proxy.type];
  return {
    ...(kind !== undefined && { kind }),
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    username: username === '' ? undefined : username,
    password: username === '' ? undefined : password,
  };
}

const kinds = { HTTP: undefined, SOCKS4: 'socks4', SOCKS5: 'socks5' } as const;

/** 0 is no limit in the reference. */
function shorter(one: number, other: number): number {
  if (one === 0) return other;
  return other === 0 ? one : Math.min(one, other);
}
