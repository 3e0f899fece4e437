import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import type {
  ResponseHead,
  UpstreamOptions,
  UpstreamRequest,
  UpstreamResult,
  UpstreamUpgrade,
} from '../exchange.ts';
import { createHeaderList, forwardable } from '../headers.ts';
import { UpstreamBody } from './upstream-body.ts';
import { failed, failureOf, tlsOptions } from './failures.ts';

/** An upstream connection that switched protocols. */
export interface PlainUpgrade extends UpstreamUpgrade {
  readonly socket: Duplex;
  /** Bytes that came behind the upstream's head. */
  readonly early: Buffer;
}

/** Asks an upstream to switch protocols, on a connection of its own. */
export function sendUpgrade(options: UpstreamOptions, request: UpstreamRequest): Promise<UpstreamResult> {
  const { exchange } = request;
  return new Promise((resolve) => {
    const send = options.scheme === 'https' ? requestHttps : requestHttp;
    const protocol = request.headers.get('upgrade') ?? exchange.request.headers.get('upgrade') ?? '';
    const headers = [...forwardable(request.headers), 'Connection', 'Upgrade', 'Upgrade', protocol];
    const call = send({
      host: options.host,
      port: options.port,
      method: request.method,
      path: request.target,
      headers,
      agent: false,
      timeout: options.connectTimeoutMs,
      ...tlsOptions(options),
    });
    exchange.onAbort(() => call.destroy(new Error('the client went away')));
    call.on('timeout', () =>
      call.destroy(
        Object.assign(new Error('the upstream did not answer the upgrade'), {
          code: 'UND_ERR_HEADERS_TIMEOUT',
        }),
      ),
    );
    call.on('error', (error) =>
      resolve(failed(exchange.isAborted ? 'aborted' : failureOf(error), error.message)),
    );
    call.on('upgrade', (answer: IncomingMessage, socket: Duplex, early: Buffer) => {
      call.setTimeout(0);
      const upgrade: PlainUpgrade = { head: headOf(answer), socket, early };
      resolve({ kind: 'upgrade', upgrade });
    });
    call.on('response', (answer) =>
      resolve({ kind: 'response', head: headOf(answer), body: refusedBody(answer) }),
    );
    call.end();
  });
}

/** The body of an upstream that did not agree to switch. */
function refusedBody(answer: IncomingMessage): UpstreamBody {
  const declared = answer.headers['content-length'];
  const valve = {
    pause: () => void answer.pause(),
    resume: () => void answer.resume(),
    abort: (cause: Error) => void answer.destroy(cause),
  };
  const body = new UpstreamBody(
    valve,
    declared === undefined ? undefined : Number(declared),
    declared === '0',
  );
  answer.on('data', (piece: Buffer) => body.onPiece(piece));
  if (!body.isEmpty) answer.pause();
  answer.once('end', () =>
    answer.complete ? body.onEnd(undefined) : body.onBroken(new Error('the upstream broke off')),
  );
  answer.once('close', () => body.onBroken(new Error('the upstream broke off')));
  answer.once('error', (error) => body.onBroken(error));
  return body;
}

function headOf(answer: IncomingMessage): ResponseHead {
  return {
    status: answer.statusCode ?? 502,
    reason: answer.statusMessage,
    headers: createHeaderList(answer.rawHeaders),
  };
}
