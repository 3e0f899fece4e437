import { isIP } from 'node:net';

import type { SharedConfiguration } from '../../proto/model/api.ts';
import type { UpstreamOptions } from '../http/exchange.ts';

/** Translates a target and its configuration into what an engine needs to open connections. */
export function upstreamOptions(target: URL, { http, ssl }: SharedConfiguration): UpstreamOptions {
  const scheme = target.protocol === 'https:' ? 'https' : 'http';
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    scheme,
    host,
    port: target.port === '' ? (scheme === 'https' ? 443 : 80) : Number(target.port),
    connectTimeoutMs: http.connectTimeout,
    readTimeoutMs: shorter(http.readTimeout, http.idleTimeout),
    idleTimeoutMs: http.keepAliveTimeout,
    keepAlive: http.keepAlive,
    connectionsMax: http.maxConcurrentConnections,
    queueMax: http.maxWaitQueueSize,
    ageMsMax: 0,
    dnsTtlMs: 30_000,
    headerBytesMax: 65_536,
    headersMax: 200,
    proxy: undefined,
    tls:
      scheme === 'http'
        ? undefined
        : {
            rejectUnauthorized: !ssl.trustAll,
            verifyHost: ssl.hostnameVerifier && !ssl.trustAll,
            servername: isIP(host) === 0 ? host : undefined,
            ca: ssl.trustStore.type === 'PEM' ? ssl.trustStore.content : undefined,
            cert: ssl.keyStore.type === 'PEM' ? ssl.keyStore.certContent : undefined,
            key: ssl.keyStore.type === 'PEM' ? ssl.keyStore.keyContent : undefined,
            pfx: undefined,
            passphrase: undefined,
          },
  };
}

/** 0 is no limit in the reference. */
function shorter(one: number, other: number): number {
  if (one === 0) return other;
  return other === 0 ? one : Math.min(one, other);
}
