import { type Place, type Tree, wordsIn } from './place.ts';

/**
 * How an endpoint, or a group of them, is talked to: `http`, `ssl`, `proxy` and `headers` of version 2 as a shared configuration of
 * version 4, with the defaults of version 2 filled in, since those of version 4 differ.
 *
 * `version` stands in place of the one that `http` says, for endpoints of gRPC.
 */
export function connectionOf(holder: Place, version?: Place): Tree {
  return {
    http: httpOf(holder.field('http', 'httpClientOptions'), version),
    headers: headersOf(holder.field('headers'), holder.field('hostHeader')),
    proxy: proxyOf(holder.field('proxy', 'httpProxy')),
    ssl: sslOf(holder.field('ssl', 'httpClientSslOptions')),
  };
}

/** Names of everything that {@link connectionOf} reads, in every spelling. */
export const connectionFields: readonly string[] = wordsIn(`
  http httpClientOptions headers hostHeader proxy httpProxy ssl httpClientSslOptions
`);

const carried = wordsIn(`
  keepAlive pipelining useCompression followRedirects propagateClientAcceptEncoding
  propagateClientHost
`);
const carriedNumbers = ['keepAliveTimeout', 'readTimeout', 'idleTimeout', 'maxWaitQueueSize'] as const;
const headBytes = 8_192;

function httpOf(http: Place, version: Place = http.field('version')): Tree {
  const said = http.field('version');
  for (const name of ['maxHeaderSize', 'maxChunkSize']) {
    const size = http.field(name).number(headBytes);
    if (size.value !== headBytes)
      size.note('idle', "bounds nothing here; heads of answers are bounded by the gateway's own settings");
  }
  const escapes = http.field('encodeURI');
  if (escapes.flag())
    escapes.fault('is not supported by this version; allowed: false, paths pass as they are');
  const upgrade = http.field('clearTextUpgrade');
  const isHttp2 = version.value === 'HTTP_2';
  return http.made({
    version: version.isAbsent ? said : version,
    ...Object.fromEntries(carried.map((name) => [name, http.field(name)])),
    ...Object.fromEntries(carriedNumbers.map((name) => [name, http.field(name).number()])),
    connectTimeout: http.field('connectTimeout').number(5_000),
    maxConcurrentConnections: http.field('maxConcurrentConnections').number(100),
    clearTextUpgrade: isHttp2 ? upgrade : undefined,
  });
}

/** A list of names and values, or a map as custom resources have it for groups; `hostHeader` is the oldest spelling of one of them. */
function headersOf(headers: Place, host: Place): Tree {
  const list = Array.isArray(headers.value) || headers.isAbsent;
  const given: readonly Tree[] = list
    ? headers
        .items()
        .map((header) => header.made({ name: header.field('name'), value: header.field('value') }))
    : headers.members().map(([name, value]) => headers.made({ name: value.as(name), value }));
  const old = host.text() === '' ? [] : [host.made({ name: 'Host', value: host })];
  return headers.made([...given, ...old]);
}

function proxyOf(proxy: Place): Tree {
  if (!proxy.field('enabled').flag()) {
    proxy.leave();
    return undefined;
  }
  const names = ['enabled', 'useSystemProxy', 'host', 'username', 'password'];
  return proxy.made({
    ...Object.fromEntries(names.map((name) => [name, proxy.field(name)])),
    type: proxy.field('type').as(proxy.field('type').word(['HTTP', 'SOCKS4', 'SOCKS5'], 'HTTP')),
    port: proxy.field('port').number(),
  });
}

function sslOf(ssl: Place): Tree {
  if (ssl.isAbsent) return undefined;
  const trustAll = ssl.field('trustAll').flag();
  const verifier = ssl.field('hostnameVerifier', 'hostNameVerifier');
  if (verifier.isAbsent && !trustAll)
    ssl.note('doubt', 'says nothing of hostnameVerifier: version 2 then checks no names in certificates');
  ssl.leave('enabled');
  const oldPem = oldPemOf(ssl.field('pem'));
  return ssl.made({
    trustAll,
    hostnameVerifier: verifier.as(verifier.flag()),
    trustStore: storeOf(ssl.field('trustStore')) ?? oldPem,
    keyStore: storeOf(ssl.field('keyStore')),
  });
}

/** Certificates as older definitions have them, beside which a trust store counts. */
function oldPemOf(pem: Place): Tree {
  return pem.text() === '' ? undefined : pem.made({ type: 'PEM', content: pem });
}

/** Of a type that it does not know the reference ignores the whole store. */
function storeOf(store: Place): Tree {
  if (store.isAbsent) return undefined;
  const type = store.field('type');
  const word = type.text().trim().toUpperCase();
  store.leave();
  if (['JKS', 'PKCS12', 'PEM'].includes(word)) return store.as({ ...Object(store.value), type: word });
  if (word !== '' && word !== 'NONE') type.note('idle', 'is no type of store; the store is left out');
  return undefined;
}
