import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

import { Fault } from '../../faults/fault.ts';
import {
  createHostMatcher,
  defaultPort,
  refusedAddress,
  splitPort,
  type Guard,
  type Target,
} from './guard.ts';
import { besideWellKnown } from '../pem-files.ts';
import { isTlsCode, withoutRuntimeHint } from '../tls-words.ts';

/** How sockets are opened. */
export interface DialOptions {
  readonly guard: Guard;
  /** An http:// or https:// proxy that understands CONNECT; user and password in the URL. */
  readonly proxy?: { readonly url: string } | undefined;
  /** Hosts that are dialled directly: names (with their subdomains), `.example.com`, addresses, CIDR ranges, `*`; `:port` optional. */
  readonly noProxy?: readonly string[] | undefined;
  /** PEM; trusted in addition to the public authorities. */
  readonly ca?: string | undefined;
  /** PEM; shown to servers (and proxies) that ask for a client certificate. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name look-up, TCP, CONNECT and TLS together. */
  readonly connectMsMax: number;
  /** Default: the system's resolver. */
  readonly resolve?: ((host: string) => Promise<readonly LookupAddress[]>) | undefined;
}

/** Opens a connection to a URL's host, through the proxy unless told otherwise, with TLS for https and wss. */
export type Dial = (url: URL, signal?: AbortSignal) => Promise<Socket>;

const connectAnswerBytesMax = 16 * 1024;

/**
 * Makes the one function that opens sockets for outbound calls.
 *
 * Errors: outbound.refused_address, outbound.unreachable, outbound.timeout, outbound.proxy_refused, outbound.tls; an abort of
 *         the signal rejects with its reason.
 * Trap:   a direct connection goes to exactly the addresses that were checked, so a name that resolves differently the second
 *         time gains nothing. Through a proxy the proxy resolves: addresses and local names are still refused here, names
 *         that point inwards are for the proxy's own rules.
 */
export function createDialler(options: DialOptions): Dial {
  const secureContext = createSecureContext({
    ...besideWellKnown(options.ca),
    ...(options.cert === undefined ? {} : { cert: options.cert, key: options.key }),
  });
  const proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy.url);
  const isDirect = createNoProxy(options.noProxy ?? []);
  const lookup = checkedLookup(options);

  const secure = (socket: Socket, host: string): Promise<Socket> => {
    const secured = connectTls({
      socket,
      host,
      servername: isIP(host) === 0 ? host : '',
      secureContext,
      ALPNProtocols: ['http/1.1'],
    });
    return opened(secured, 'secureConnect', `TLS with ${host}`);
  };
  const open = async (url: URL, own: (socket: Socket) => Socket): Promise<Socket> => {
    const target = targetOf(url);
    options.guard.checkHost(target);
    const isTls = url.protocol === 'https:' || url.protocol === 'wss:';
    let socket: Socket;
    if (proxy === undefined || isDirect(target)) {
      socket = own(
        connectTcp({ host: target.host, port: target.port, lookup: lookup(target), noDelay: true }),
      );
      await opened(socket, 'connect', `${target.host}:${target.port}`);
    } else {
      socket = own(connectTcp({ host: proxy.host, port: proxy.port, noDelay: true }));
      await opened(socket, 'connect', `proxy ${proxy.host}:${proxy.port}`).catch((error: unknown) => {
        throw proxyFault(error);
      });
      if (proxy.isTls) socket = own(await secure(socket, proxy.host));
      await tunnel(socket, target, proxy.authorization);
    }
    return isTls ? own(await secure(socket, target.host)) : socket;
  };

  return async (url, signal) => {
    signal?.throwIfAborted();
    let newest: Socket | undefined;
    const own = (socket: Socket): Socket => {
      // Errors are taken from the events that `opened` waits for; this listener only keeps a late one from killing the process.
      socket.on('error', ignore);
      return (newest = socket);
    };
    const stopped = Promise.withResolvers<never>();
    const timer = setTimeout(
      () =>
        stopped.reject(
          new Fault('outbound.timeout', { internal: `connect to ${url.host}: ${options.connectMsMax} ms` }),
        ),
      options.connectMsMax,
    );
    const onAbort = (): void => stopped.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const socket = await Promise.race([open(url, own), stopped.promise]);
      socket.off('error', ignore);
      return socket;
    } catch (error) {
      newest?.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  };
}

/** Host and port of a URL in the form that guard and lists compare. */
export function targetOf(url: URL): Target {
  const host = url.hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  return { host, port: url.port === '' ? defaultPort(url.protocol) : Number(url.port) };
}

/** Looks names up and leaves out the addresses that the guard refuses; nobody asks it about addresses. */
export function checkedLookup({
  guard,
  resolve,
}: Pick<DialOptions, 'guard' | 'resolve'>): (target: Target) => LookupFunction {
  return (target) => (host, lookupOptions, callback) => {
    const finish = (error: Error | null, addresses: readonly LookupAddress[]): void => {
      if (error !== null) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => guard.mayConnect(address, target));
      const [first] = allowed;
      if (first === undefined) {
        return callback(refusedAddress(target, addresses.map(({ address }) => address).join(', ')), '', 0);
      }
      if (lookupOptions.all === true) return callback(null, [...allowed]);
      callback(null, first.address, first.family);
    };
    if (resolve === undefined) return systemLookup(host, { ...lookupOptions, all: true }, finish);
    resolve(host).then(
      (addresses) => finish(null, addresses),
      (error: unknown) => finish(error instanceof Error ? error : new Error(String(error)), []),
    );
  };
}

async function tunnel(
  socket: Socket,
  { host, port }: Target,
  authorization: string | undefined,
): Promise<void> {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  socket.write(
    `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${
      authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`
    }\r\n`,
  );
  const head = await readHead(socket);
  const [statusLine = ''] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (status >= 200 && status < 300) return;
  // It let us in and finds nobody behind: that passes, and nobody has to look after the proxy's settings.
  if (status >= 500)
    throw new Fault('outbound.unreachable', {
      detail: 'The proxy does not reach the remote side.',
      internal: `CONNECT ${authority}: ${statusLine}`,
    });
  throw new Fault('outbound.proxy_refused', {
    detail: status === 407 ? 'The proxy wants another user or password.' : 'The proxy refused to connect.',
    internal: `CONNECT ${authority}: ${statusLine}`,
  });
}

function readHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const done = (error?: Fault): void => {
      socket.off('readable', onReadable).off('close', onClose).off('error', onClose);
      if (error !== undefined) reject(error);
    };
    const onClose = (): void =>
      done(new Fault('outbound.unreachable', { internal: 'the proxy closed during CONNECT' }));
    // Not 'data': taking that listener away again would leave the socket paused, and node:http does not resume what it is given.
    const onReadable = (): void => {
      seen = Buffer.concat([seen, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) {
        if (seen.length > connectAnswerBytesMax)
          done(new Fault('outbound.proxy_refused', { internal: 'endless head' }));
        return;
      }
      done();
      // What followed the head already belongs to the tunnel.
      if (seen.length > end + 4) socket.unshift(seen.subarray(end + 4));
      resolve(seen.toString('latin1', 0, end));
    };
    socket.on('readable', onReadable).on('close', onClose).on('error', onClose);
  });
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', what: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket));
    socket.once('error', (error) => reject(dialFault(error, what)));
    socket.once('close', () => reject(new Fault('outbound.unreachable', { internal: `${what}: closed` })));
  });
}

/** What is away is what the settings name, and not whom somebody wanted to reach. */
function proxyFault(error: unknown): unknown {
  if (!(error instanceof Fault)) return error;
  const { code, internal, cause } = error;
  return new Fault(code, {
    detail: 'The proxy cannot be reached.',
    internal,
    cause,
    hint: 'Check host and port in outbound.proxy.url, and whether the proxy is up.',
  });
}

function dialFault(error: Error, what: string): Fault {
  if (error instanceof Fault) return error;
  const code = 'code' in error ? String(error.code) : '';
  const said = withoutRuntimeHint(error.message);
  const internal = `${what}: ${said.includes(code) ? said : `${code} ${said}`}`;
  return new Fault(
    isTlsCode(code) ? 'outbound.tls' : code === 'ETIMEDOUT' ? 'outbound.timeout' : 'outbound.unreachable',
    {
      internal,
      cause: error,
    },
  );
}

function parseProxy(text: string) {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Fault('config.invalid', {
      detail: 'outbound.proxy.url must be http://[user:password@]host:port.',
    });
  }
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    ...targetOf(url),
    isTls: url.protocol === 'https:',
    authorization: url.username === '' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
  };
}

/** Reads NO_PROXY as curl and Go do: a bare name also means its subdomains. */
export function createNoProxy(entries: readonly string[]): (target: Target) => boolean {
  const rules = entries.map((entry) => {
    const { host, port } = splitPort(entry.trim());
    const name = host.replace(/^\*?\./, '').toLowerCase();
    const matches = createHostMatcher(name);
    return (target: Target): boolean =>
      (port === undefined || port === target.port) &&
      (host === '*' ||
        matches?.(target.host) === true ||
        (isIP(target.host) === 0 && target.host.endsWith(`.${name}`)));
  });
  return (target) => rules.some((rule) => rule(target));
}

const ignore = (): void => undefined;
