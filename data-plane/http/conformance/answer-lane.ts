import type { Engine, Exchange, Outcome, RunningServer, Upstream, UpstreamResult } from '../exchange.ts';
import type { AnswerCase, AnswerSettings } from './cases/answer-case.ts';
import { connectTo, type Lane, listen, Listening, loopback, turns, writeCut } from './lanes.ts';
import { type MessageText, readMessageText } from './message-text.ts';
import { limitDefaults, upstreamDefaults } from './stage.ts';

/** What everybody saw of one answer. */
export interface ObservedAnswer {
  readonly result: UpstreamResult['kind'] | undefined;
  readonly failure: string | undefined;
  readonly message: string | undefined;
  readonly outcome: Outcome['kind'] | undefined;
  /** The whole answer at the client; undefined when it never became whole. */
  readonly answer: MessageText | undefined;
  readonly isClientClosed: boolean;
  readonly isBackendClosed: boolean;
  /** The next request came on the same connection of the backend. */
  readonly isReused: boolean;
  readonly faults: readonly string[];
}

interface Heard {
  result: UpstreamResult | undefined;
  outcome: Outcome | undefined;
}

const probe = 'GET /probe HTTP/1.1\r\nHost: h\r\n\r\n';

/** A server, its backend that plays the case, and the way between them. */
export class AnswerLane implements Lane {
  #running: RunningServer | undefined = undefined;
  #upstream: Upstream | undefined = undefined;
  #closeBackend: () => void = () => undefined;
  readonly #backends = new Set<Listening>();
  #onCall: (backend: Listening) => void = () => undefined;
  #heard: Heard = { result: undefined, outcome: undefined };

  static async start(engine: Engine, limits: AnswerSettings['limits']): Promise<AnswerLane> {
    const lane = new AnswerLane();
    const { server, port } = await listen((socket) => lane.#serve(new Listening(socket)));
    lane.#closeBackend = () => server.close();
    lane.#upstream = engine.createUpstream({
      ...upstreamDefaults,
      host: loopback,
      readMsMax: 5_000,
      bodyMsMax: 5_000,
      port,
      ...limits,
    });
    lane.#running = await engine.listen({
      host: loopback,
      port: 0,
      tls: undefined,
      limits: limitDefaults,
      target: { mergeSlashes: false, encodedSlash: 'keep' },
      onExchange: (exchange) => lane.#forward(exchange),
      onRefusal: undefined,
    });
    return lane;
  }

  async close(): Promise<void> {
    await this.#upstream?.close(0);
    await this.#running?.close(0);
    for (const backend of this.#backends) backend.socket.destroy();
    this.#closeBackend();
  }

  /** Asks, lets the backend play the case cut at these places, then asks once more to see which connection is used. */
  async play({ bytes, settings, expect }: AnswerCase, places: readonly number[]): Promise<ObservedAnswer> {
    const heard: Heard = { result: undefined, outcome: undefined };
    this.#heard = heard;
    const faults: string[] = [];
    const method = settings.method ?? 'GET';
    const client = await connectTo(this.#running?.port ?? 0);
    const called = this.#nextCall();
    client.socket.write(`${method} /case HTTP/1.1\r\nHost: h\r\n\r\n`);
    const backend = await called;
    await writeCut(backend.socket, bytes, places);
    if (settings.ends === true) backend.socket.end();
    const read = (): MessageText | undefined => readAnswer(client.text, method, client.isClosed);
    const isOver = 'broken' in expect ? () => client.isClosed : () => client.isClosed || read() !== undefined;
    if (!(await client.until(isOver))) faults.push(`no end of the answer: ${JSON.stringify(client.text)}`);
    const answer = client.isClosed ? undefined : read();
    const isClientClosed = client.isClosed;
    const staysOpen = 'delivered' in expect && expect.delivered.isReused !== false;
    if (!staysOpen && !(await backend.until(() => backend.isClosed)))
      faults.push('the connection of the backend stays open');
    const isBackendClosed = backend.isClosed;
    const next = this.#nextCall();
    const again = isClientClosed ? await connectTo(this.#running?.port ?? 0) : client;
    const before = again.text.length;
    again.socket.write(probe);
    const isReused = (await next) === backend;
    (await next).socket.write('HTTP/1.1 204 Probe\r\n\r\n');
    if (!(await again.until(() => again.text.endsWith('\r\n\r\n') && again.text.length > before)))
      faults.push('the next request is not answered');
    if (!again.text.slice(before).startsWith('HTTP/1.1 204 Probe\r\n'))
      faults.push(`the next answer is ${JSON.stringify(again.text.slice(before))}`);
    again.socket.resetAndDestroy();
    await turns(1);
    const { result, outcome } = heard;
    const failed = result?.kind === 'failure' ? result : undefined;
    return {
      result: result?.kind,
      failure: failed?.failure,
      message: failed?.message,
      outcome: outcome?.kind,
      answer,
      isClientClosed,
      isBackendClosed,
      isReused,
      faults,
    };
  }

  #nextCall(): Promise<Listening> {
    return new Promise((resolve) => (this.#onCall = resolve));
  }

  #forward(exchange: Exchange): void {
    const { method, path, headers, body } = exchange.request;
    const isProbe = path === '/probe';
    const heard = this.#heard;
    if (!isProbe) {
      exchange.beforeEnd = {
        onEnd(outcome) {
          heard.outcome = outcome;
          return undefined;
        },
      };
    }
    this.#upstream?.send({ method, target: path, headers, body, exchange, isUpgrade: false }, (result) => {
      if (!isProbe) heard.result = result;
      if (result.kind === 'response') exchange.respond(result.head, result.body);
      else exchange.respond({ status: 502, headers: exchange.createHeaders() }, result.kind);
    });
  }

  #serve(backend: Listening): void {
    this.#backends.add(backend);
    backend.socket.on('close', () => this.#backends.delete(backend));
    backend.socket.on('data', () => {
      const message = readMessageText(backend.text, { hasNoBody: false, isEnded: undefined });
      if (message === undefined) return;
      backend.text = backend.text.slice(message.end);
      this.#onCall(backend);
    });
  }
}

/** The answer of the client's text, behind no informational ones: none may have come. */
function readAnswer(text: string, method: string, isEnded: boolean): MessageText | undefined {
  const hasNoBody = method === 'HEAD' || /^HTTP\/1\.1 (?:1..|204|304)/.test(text);
  return readMessageText(text, { hasNoBody, isEnded });
}
