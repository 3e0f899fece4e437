import type { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import type { HeaderList, Upstream, UpstreamOptions, UpstreamRequest, UpstreamResult } from '../exchange.ts';
import { createHeaderList, forwardable } from '../headers.ts';
import { isPiped } from './body.ts';
import { failed, failureOf, tlsOptions } from './failures.ts';
import { createSlots } from './slots.ts';
import { UpstreamBody } from './upstream-body.ts';
import { sendUpgrade } from './upgrade.ts';

// RFC 9110 section 9.2.2: only these may be sent again when it is unknown whether they were received.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Header block of an answer, bytes. */
const answerHeadBytesMax = 64 * 1024;

/** A pool of undici connections to one origin. */
export function createPlainUpstream(options: UpstreamOptions): Upstream {
  const pool = new Pool(originOf(options), {
    connections: options.connectionsMax,
    pipelining: options.keepAlive ? 1 : 0,
    headersTimeout: options.readTimeoutMs,
    bodyTimeout: options.readTimeoutMs,
    keepAliveTimeout: options.idleTimeoutMs,
    keepAliveMaxTimeout: options.idleTimeoutMs,
    maxHeaderSize: answerHeadBytesMax,
    connect: { timeout: options.connectTimeoutMs, ...tlsOptions(options) },
  });
  const slots = createSlots({
    slotsMax: options.connectionsMax,
    waitingMax: options.queueMax,
    waitMsMax: options.connectTimeoutMs,
  });

  const attempt = async (request: UpstreamRequest): Promise<UpstreamResult> => {
    const slot = await slots.take(request.exchange);
    if (slot.kind !== 'taken') return failed(slot.kind, 'no free connection');
    return dispatch(pool, request, slot.release);
  };
  const send = async (request: UpstreamRequest): Promise<UpstreamResult> => {
    request.exchange.marks.upstreamStartUs = nowUs(request);
    if (request.isUpgrade) return sendUpgrade(options, request);
    const result = await attempt(request);
    return isWorthRetrying(request, result) ? attempt(request) : result;
  };
  return {
    send: (request, receive) => void send(request).then(receive),
    async close(deadlineMs) {
      const timer = setTimeout(() => void pool.destroy(), deadlineMs);
      await pool.close().finally(() => clearTimeout(timer));
    },
  };
}

/** Sends once. The slot is given back when the answer's last byte was read, or when none comes. */
function dispatch(pool: Pool, request: UpstreamRequest, release: () => void): Promise<UpstreamResult> {
  return new Promise((resolve) => {
    const { exchange } = request;
    let body: UpstreamBody | undefined;
    let abort: ((cause: Error) => void) | undefined;
    exchange.onAbort(() => abort?.(new Error('the client went away')));
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        exchange.marks.upstreamConnectUs = nowUs(request);
        abort = (cause) => controller.abort(cause);
        if (exchange.isAborted) controller.abort(new Error('the client went away'));
      },
      // oxlint-disable-next-line max-params -- undici's signature
      onResponseStart(controller, status, _headers, reason) {
        // 1xx answers are this hop's own business (RFC 9110 section 15.2).
        if (status < 200) return;
        exchange.marks.upstreamHeadUs = nowUs(request);
        const headers = createHeaderList(textOf(controller.rawHeaders ?? []));
        body = answerBody(controller, { method: request.method, status, headers });
        resolve({ kind: 'response', head: { status, reason, headers }, body });
      },
      onResponseData: (_controller, piece) => body?.onPiece(piece),
      onResponseEnd(controller) {
        exchange.marks.upstreamEndUs = nowUs(request);
        release();
        const trailers = textOf(controller.rawTrailers ?? []);
        body?.onEnd(trailers.length === 0 ? undefined : createHeaderList(trailers));
      },
      onResponseError(_controller, error) {
        release();
        body?.onBroken(error);
        resolve(failed(exchange.isAborted ? 'aborted' : failureOf(error), error.message));
      },
    };
    try {
      pool.dispatch(
        {
          path: request.target,
          method: request.method as Dispatcher.HttpMethod,
          headers: [...forwardable(request.headers), ...framingOf(request)],
          body: bodyOf(request),
        },
        handler,
      );
    } catch (error) {
      release();
      resolve(failed('invalidResponse', error instanceof Error ? error.message : String(error)));
    }
  });
}

function answerBody(
  controller: Dispatcher.DispatchController,
  answer: { readonly method: string; readonly status: number; readonly headers: HeaderList },
): UpstreamBody {
  const declared = answer.headers.get('content-length');
  const isBodiless = answer.method === 'HEAD' || answer.status === 204 || answer.status === 304;
  const length = isBodiless
    ? 0
    : declared === undefined || answer.headers.has('transfer-encoding')
      ? undefined
      : Number(declared);
  return new UpstreamBody(controller, length, length === 0);
}

function bodyOf({ body }: UpstreamRequest): Readable | Uint8Array | null {
  if (body === undefined || body instanceof Uint8Array) return body ?? null;
  return body.isEmpty || !isPiped(body) ? null : body.toReadable();
}

/** undici frames a stream by this header, and chunks without it; it checks that the body has that length. */
function framingOf({ body }: UpstreamRequest): readonly string[] {
  const hasLength =
    body !== undefined && !(body instanceof Uint8Array) && !body.isEmpty && body.length !== undefined;
  return hasLength ? ['Content-Length', String(body.length)] : [];
}

function isWorthRetrying(request: UpstreamRequest, result: UpstreamResult): boolean {
  if (result.kind !== 'failure' || (result.failure !== 'reset' && result.failure !== 'closed')) return false;
  const hasBody =
    request.body !== undefined &&
    !(request.body instanceof Uint8Array ? request.body.length === 0 : request.body.isEmpty);
  return !hasBody && idempotent.has(request.method) && !request.exchange.isAborted;
}

function originOf(options: UpstreamOptions): string {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return `${options.scheme}://${host}:${options.port}`;
}

function textOf(flat: readonly (Buffer | string)[] | Readonly<Record<string, unknown>>): string[] {
  return Array.isArray(flat)
    ? flat.map((item: Buffer | string) => (typeof item === 'string' ? item : item.toString('latin1')))
    : [];
}

function nowUs(request: UpstreamRequest): number {
  return Math.max(
    1,
    Math.round((performance.timeOrigin + performance.now() - request.exchange.startedAtMs) * 1_000),
  );
}
