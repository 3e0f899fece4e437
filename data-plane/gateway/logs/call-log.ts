import type { ExpressionScope } from '../../../proto/expression/scope.ts';
import {
  type Body,
  Capture,
  CaptureMemory,
  type Exchange,
  type HeaderList,
  type ResponseHead,
  type UpstreamResult,
} from '../../http/exchange.ts';
import type { AccessFacts } from '../../report/facts.ts';
import type { HeaderLines, LoggedMessage, LogFacts } from '../../report/logs/log-facts.ts';
import type { LogSettings } from '../../report/logs/log-settings.ts';
import type { TellWarning } from '../errors/warned.ts';
import { tapped } from './tapped.ts';
import type { LogWish } from './log-wish.ts';

/** What logs of all APIs share. */
export interface LogHost {
  readonly memory: CaptureMemory;
  readonly bodyBytesMax: number;
  /** Whether bodies of this content type are left out. */
  readonly isExcluded: (contentType: string | undefined) => boolean;
  readonly onWarning: TellWarning;
}

/** Makes it from the settings of the gateway. */
export function createLogHost(
  { bodyBytesMax, capturedBytesMax, excludedContentTypes }: LogSettings,
  onWarning: TellWarning,
): LogHost {
  const types = excludedContentTypes.map((type) =>
    type.endsWith('*') ? { prefix: type.slice(0, -1), isWhole: false } : { prefix: type, isWhole: true },
  );
  return {
    memory: new CaptureMemory(capturedBytesMax),
    bodyBytesMax,
    isExcluded(contentType) {
      if (contentType === undefined) return false;
      const given = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
      return types.some(({ prefix, isWhole }) => (isWhole ? given === prefix : given.startsWith(prefix)));
    },
    onWarning,
  };
}

/** A call whose condition is asked. */
export interface LoggedCall extends ExpressionScope {
  readonly deployed: { readonly id: string };
}

type AnyBody = Body | Uint8Array | string | undefined;

/**
 * What is said in one call, taken down as it is said: heads at the time at which they leave or arrive, bodies while they pass.
 *
 * It begins before anything is known of the caller, since what a client said changes from there on; whether it is wanted is decided when he
 * is known, or when he is refused. Unwanted, it gives back what it took.
 */
export class CallLog {
  /** The request's body, tapped; the exchange's own where nothing is kept of it. */
  readonly requestBody: Body;
  readonly #wish: LogWish;
  readonly #host: LogHost;
  readonly #received: HeaderLines;
  readonly #receivedCapture: Capture | undefined;
  readonly #captures = new Set<Capture>();
  #endpointHead: HeaderLines | undefined;
  #endpointRequest: LoggedMessage | undefined;
  #endpointResponse: LoggedMessage | undefined;
  #endpointBody: Body | undefined;
  #endpointCapture: Capture | undefined;
  #entrypointResponse: LoggedMessage | undefined;
  #isWanted: boolean | undefined;

  constructor(wish: LogWish, host: LogHost, exchange: Exchange) {
    const { headers, body } = exchange.request;
    this.#wish = wish;
    this.#host = host;
    this.#received = linesOf(headers);
    this.#receivedCapture = wish.entrypointRequest ? this.#capture(headers) : undefined;
    this.requestBody =
      this.#receivedCapture === undefined || exchange.request.isUpgrade
        ? body
        : tapped(body, this.#receivedCapture);
  }

  /** Decides once; a condition that fails logs nothing and warns. */
  isWanted(call: LoggedCall): boolean {
    if (this.#isWanted !== undefined) return this.#isWanted;
    const judged = this.#wish.condition.judge(call);
    if (typeof judged === 'object')
      this.#host.onWarning({
        api: call.deployed.id,
        step: 'logging',
        at: 'analytics.logging.condition',
        key: 'EXPRESSION_EVALUATION_ERROR',
        message: judged.why,
      });
    this.#isWanted = judged === true;
    return this.#isWanted;
  }

  /** A request goes to a backend; of several, the last one counts. Returns its body. */
  sends<Sent extends Body | Uint8Array | undefined>(
    { method, uri, headers }: { readonly method: string; readonly uri: string; readonly headers: HeaderList },
    body: Sent,
  ): Sent | Body {
    this.#endpointHead = linesOf(headers);
    this.#endpointResponse = undefined;
    if (!this.#wish.endpointRequest) return body;
    // What passed unchanged is kept once.
    const capture =
      this.#receivedCapture !== undefined && body === this.requestBody
        ? this.#receivedCapture
        : this.#capture(headers);
    this.#endpointRequest = { method, uri, headers: this.#endpointHead, body: capture };
    return capture === this.#receivedCapture ? body : (keep(body, capture) as Sent | Body);
  }

  /** A backend has answered, or not. Returns what goes on in its answer's place. */
  hears(result: UpstreamResult): UpstreamResult {
    if (!this.#wish.endpointResponse || result.kind === 'failure') return result;
    const head = result.kind === 'upgrade' ? result.upgrade.head : result.head;
    const capture = result.kind === 'upgrade' ? undefined : this.#capture(head.headers);
    this.#endpointResponse = { status: head.status, headers: linesOf(head.headers), body: capture };
    if (result.kind === 'upgrade' || capture === undefined) return result;
    this.#endpointCapture = capture;
    this.#endpointBody = tapped(result.body, capture);
    return { ...result, body: this.#endpointBody };
  }

  /** The client is answered. Returns the body. */
  answers<Sent extends AnyBody>(head: ResponseHead, body: Sent): Sent | Body {
    if (!this.#wish.entrypointResponse) return body;
    const isPassing = body !== undefined && body === this.#endpointBody;
    const capture = isPassing ? this.#endpointCapture : this.#capture(head.headers);
    this.#entrypointResponse = { status: head.status, headers: linesOf(head.headers), body: capture };
    return isPassing ? body : (keep(body, capture) as Sent | Body);
  }

  /** What a line is made of, when it is over. */
  facts(access: AccessFacts, traceId: string | undefined, rules: LogFacts['rules']): LogFacts {
    const { timestampMs, requestId, transactionId, errorKey, errorMessage, method, uri } = access;
    const entrypointRequest = { method, uri, headers: this.#received, body: this.#receivedCapture };
    const heads = [
      this.#received,
      this.#endpointHead ?? [],
      this.#endpointResponse?.headers ?? [],
      this.#entrypointResponse?.headers ?? [],
    ];
    return {
      timestampMs,
      requestId,
      transactionId,
      traceId,
      errorKey,
      errorMessage,
      entrypointRequest: this.#shown(this.#wish.entrypointRequest ? entrypointRequest : undefined),
      entrypointResponse: this.#shown(this.#entrypointResponse),
      endpointRequest: this.#shown(this.#endpointRequest),
      endpointResponse: this.#shown(this.#endpointResponse),
      heads,
      secretHeaders: this.#wish.secretHeaders,
      rules,
      release: () => this.release(),
    };
  }

  /** Gives the memory of its bodies back. */
  release(): void {
    for (const capture of this.#captures) capture.release();
    this.#captures.clear();
  }

  #shown(message: LoggedMessage | undefined): LoggedMessage | undefined {
    if (message === undefined) return undefined;
    return {
      ...message,
      headers: this.#wish.headers ? message.headers : undefined,
      body: message.body === undefined || message.body.total === 0 ? undefined : message.body,
    };
  }

  /** A new capture for a body with this head; undefined where none is kept. */
  #capture(headers: HeaderList): Capture | undefined {
    const { memory, bodyBytesMax, isExcluded } = this.#host;
    if (!this.#wish.bodies || isExcluded(headers.get('content-type'))) return undefined;
    const capture = new Capture(memory, bodyBytesMax);
    this.#captures.add(capture);
    return capture;
  }
}

function keep(body: AnyBody, capture: Capture | undefined): AnyBody {
  if (body === undefined || capture === undefined) return body;
  if (typeof body === 'string') {
    const bytes = Buffer.from(body);
    capture.add(bytes, 0, bytes.length);
    return body;
  }
  if (!(body instanceof Uint8Array)) return tapped(body, capture);
  capture.add(body, 0, body.length);
  return body;
}

function linesOf(headers: HeaderList): HeaderLines {
  const lines: (readonly [string, string])[] = [];
  headers.forEach((name, value) => void lines.push([name, value]));
  return lines;
}
