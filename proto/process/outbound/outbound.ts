import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { Agent, type buildConnector, type Dispatcher } from 'undici';
import type { WebSocket } from 'ws';

import { Fault } from '../../faults/fault.ts';
import { createGathered } from '../../wire/gathered.ts';
import { plainJson } from '../json-text.ts';
import { createDialler, targetOf, type Dial, type DialOptions } from './dial.ts';
import { createGuard, type AddressProfile } from './guard.ts';
import type { OwnDoors } from './own-doors.ts';
import type { OutboundSettings } from './settings.ts';
import { openWebSocket, type WebSocketOptions } from './websocket.ts';
import { systemWords } from '../system-words.ts';
import { checkAuthorities, readPair } from '../pem-files.ts';

export { refusalOf, type WebSocketOptions } from './websocket.ts';

/** What makes an outbound client. */
export interface OutboundOptions extends Omit<DialOptions, 'guard'> {
  readonly profile: AddressProfile;
  /** See {@link createGuard} for what an entry may be. */
  readonly allow: readonly string[];
  /** Stronger than allow. Default: nothing. */
  readonly deny?: readonly string[];
  /** See {@link OwnDoors}. Default: none. */
  readonly doors?: OwnDoors | undefined;
  /** Where the two lists come from, for errors. Default: `outbound`. */
  readonly setting?: string;
  readonly responseBytesMax: number;
}

/** One request. */
export interface OutboundRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: the client's responseBytesMax. */
  readonly bodyBytesMax?: number;
}

/** An answer whose head is here; the body is read once, by one of the four. */
export interface OutboundResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
  /** Errors: outbound.bad_answer when the body is not JSON. */
  json(): Promise<unknown>;
  /** A body that nobody reads holds its connection until timeoutMs. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * The one client for calls that leave the process: HTTP/1.1 and WebSocket over a CONNECT proxy or directly.
 *
 * Redirects are answers, not followed: whoever wants to follow one decides again where it leads.
 * Errors: outbound.* of proto/faults/codes.ts; an abort of the caller's signal rejects with its reason. No status is an error.
 */
export interface Outbound {
  /** Throws outbound.refused_address for a URL that is refused without a look-up, so that whoever names it learns of that at once. */
  checkUrl(url: string): void;
  request(url: string, options: OutboundRequest): Promise<OutboundResponse>;
  /** Opens a socket whose handshake is done; see {@link refusalOf} for the answer of a server that refuses. */
  webSocket(url: string, options: WebSocketOptions): Promise<WebSocket>;
  /** Dials with other authorities, another certificate and key from now on; what is open stays open. Errors: config.invalid when they cannot be used. */
  renew(files: TlsFiles): void;
  close(): Promise<void>;
}

/** What the files of the section hold. */
type TlsFiles = Pick<DialOptions, 'ca' | 'cert' | 'key'>;

/** Reads the files that the section names and takes the proxy from the customary variables when it names none. */
export function toOutboundOptions(
  config: OutboundSettings,
  profile: AddressProfile,
  env: NodeJS.ProcessEnv = process.env,
): OutboundOptions {
  const proxyUrl = config.proxy.url ?? env['HTTPS_PROXY'] ?? env['https_proxy'];
  const noProxy =
    config.noProxy ??
    (config.proxy.url === undefined ? (env['NO_PROXY'] ?? env['no_proxy'])?.split(',') : undefined);
  return {
    profile,
    allow: config.allow,
    proxy: proxyUrl === undefined || proxyUrl === '' ? undefined : { url: proxyUrl },
    noProxy: noProxy?.map((entry) => entry.trim()).filter((entry) => entry !== ''),
    ...readTlsFiles(config),
    connectMsMax: config.connectMsMax,
    responseBytesMax: config.responseBytesMax,
  };
}

/** Reads authorities, certificate and key. Errors: config.unreadable, config.invalid when they cannot be used together. */
function readTlsFiles({ caFile, certFile, keyFile }: OutboundSettings): TlsFiles {
  const files = {
    ca: readCa(caFile),
    cert: readPem('outbound.certFile', certFile),
    key: readPem('outbound.keyFile', keyFile),
  };
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Fault('config.invalid', {
      details: [
        {
          path: `outbound.${certFile === undefined ? 'certFile' : 'keyFile'}`,
          message: 'is missing: a certificate and its key go together',
        },
      ],
    });
  return certFile === undefined || keyFile === undefined
    ? files
    : { ...files, ...readPair({ certFile, keyFile }) };
}

/** Makes what reads the files again, e.g. at a SIGHUP; it says whether they have changed. Errors: as {@link readTlsFiles}; then nothing changes. */
export function createTlsReload(outbound: Pick<Outbound, 'renew'>, config: OutboundSettings): () => boolean {
  let inUse = readTlsFiles(config);
  return () => {
    const next = readTlsFiles(config);
    if (isDeepStrictEqual(next, inUse)) return false;
    outbound.renew(next);
    inUse = next;
    return true;
  };
}

/** Makes a client; its connections are pooled per origin until close. */
export function createOutbound(options: OutboundOptions): Outbound {
  const guard = createGuard(options.profile, {
    allow: options.allow,
    deny: options.deny ?? [],
    doors: options.doors,
    setting: options.setting ?? 'outbound',
  });
  let newest = createDialler({ ...options, guard });
  const dial: Dial = (url, signal) => newest(url, signal);
  const closing = new AbortController();
  const open = async (url: URL, callback: buildConnector.Callback): Promise<void> => {
    let socket;
    try {
      socket = await dial(url, closing.signal);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
      return;
    }
    // The type asks for a TLSSocket or Socket of undici's own spelling; both are the sockets of node:net.
    callback(null, socket as Parameters<buildConnector.Callback>[1] & object);
  };
  const connect: buildConnector.connector = ({ protocol, host }, callback) =>
    void open(new URL(`${protocol}//${host ?? ''}`), callback);
  const agent = new Agent({ connect, connections: 128, pipelining: 1 });

  return {
    checkUrl: (text) => guard.checkHost(targetOf(parseUrl(text, ['http:', 'https:']))),
    request: async (text, request) => send(agent, parseUrl(text, ['http:', 'https:']), { request, options }),
    webSocket: async (text, webSocket) => {
      const url = parseUrl(text, ['ws:', 'wss:', 'http:', 'https:']);
      // `new URL` keeps the scheme's class, and http and ws are of the same, so setting it is allowed.
      url.protocol = url.protocol.replace('http', 'ws');
      return openWebSocket(url, dial, webSocket);
    },
    renew: (files) => void (newest = createDialler({ ...options, ...files, guard })),
    async close() {
      closing.abort();
      await agent.destroy();
    },
  };
}

async function send(
  agent: Agent,
  url: URL,
  { request, options }: { readonly request: OutboundRequest; readonly options: OutboundOptions },
): Promise<OutboundResponse> {
  const { method = 'GET', headers = {}, body, timeoutMs, signal } = request;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort(new Fault('outbound.timeout', { internal: `${method} ${url.origin}: ${timeoutMs} ms` }));
  }, timeoutMs).unref();
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body === undefined ? null : isIterable(body) ? Readable.from(body) : body,
      signal: stop.signal,
      // The one deadline above bounds everything.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const bytesMax = request.bodyBytesMax ?? options.responseBytesMax;
    return toResponse(answer, { bytesMax, what: `${method} ${url.origin}`, stop: stop.signal, release });
  } catch (error) {
    release();
    throw stop.signal.aborted ? stop.signal.reason : callFault(error, `${method} ${url.origin}`);
  }
}

interface BodyBounds {
  readonly bytesMax: number;
  readonly what: string;
  readonly stop: AbortSignal;
  readonly release: () => void;
}

function toResponse(answer: Dispatcher.ResponseData, bounds: BodyBounds): OutboundResponse {
  answer.body.once('close', bounds.release);
  // The reader of the body gets the error; without a reader it must not end the process.
  answer.body.on('error', () => undefined);
  const stream = { [Symbol.asyncIterator]: () => boundedBody(answer, bounds) };
  const bytes = async (): Promise<Uint8Array> => {
    const gathered = createGathered();
    for await (const part of stream) gathered.add(part);
    return gathered.take();
  };
  const text = async (): Promise<string> => new TextDecoder().decode(await bytes());
  return {
    status: answer.statusCode,
    headers: flatten(answer.headers),
    stream,
    bytes,
    text,
    json: async () => {
      const content = await text();
      try {
        // What somebody answers may be a credential: nothing of it is quoted.
        return plainJson(content);
      } catch (error) {
        throw new Fault('outbound.bad_answer', {
          detail: 'The answer is not JSON.',
          internal: `${bounds.what}: not JSON`,
          cause: error,
        });
      }
    },
  };
}

async function* boundedBody(
  answer: Dispatcher.ResponseData,
  { bytesMax, what, stop }: BodyBounds,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      total += chunk.byteLength;
      if (total > bytesMax)
        throw new Fault('outbound.too_large', { internal: `${what}: more than ${bytesMax} bytes` });
      yield chunk;
    }
  } catch (error) {
    throw stop.aborted ? stop.reason : callFault(error, what);
  } finally {
    answer.body.destroy();
  }
}

function callFault(error: unknown, what: string): unknown {
  if (error instanceof Fault || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const internal = `${what}: ${error.message.includes(code) ? error.message : `${code} ${error.message}`}`;
  // A body of the caller's that fails, or a wrong argument, is not the remote side's doing.
  if (code === 'UND_ERR_INVALID_ARG') return new Fault('outbound.invalid_url', { internal, cause: error });
  return new Fault('outbound.unreachable', { internal, cause: error });
}

function flatten(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : (value ?? []).join(', '),
    ]),
  );
}

function parseUrl(text: string, protocols: readonly string[]): URL {
  const url = URL.parse(text);
  if (
    url === null ||
    !protocols.includes(url.protocol) ||
    targetOf(url).host === '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new Fault('outbound.invalid_url', { internal: url === null ? 'does not parse' : url.protocol });
  }
  return url;
}

const isIterable = (body: NonNullable<OutboundRequest['body']>): body is AsyncIterable<Uint8Array> =>
  typeof body === 'object' && Symbol.asyncIterator in body;

function readCa(file: string | undefined): string | undefined {
  const pem = readPem('outbound.caFile', file);
  if (file !== undefined && pem !== undefined) checkAuthorities(file, pem);
  return pem;
}

function readPem(setting: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault('config.unreadable', {
      detail: `${setting}: ${file} ${systemWords(error)}.`,
      cause: error,
    });
  }
}
