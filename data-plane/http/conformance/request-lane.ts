import type { Engine, Exchange, HeaderList, RunningServer, Upstream } from '../exchange.ts';
import type { RequestCase, RequestSettings } from './cases/request-case.ts';
import { connectTo, type Lane, listen, Listening, loopback, turns, writeCut } from './lanes.ts';
import { type MessageText, readMessageText } from './message-text.ts';
import { limitDefaults, upstreamDefaults } from './stage.ts';

/** A request as the gateway was handed it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly authority: string;
  readonly host: string;
  readonly version: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
}

/** What everybody saw of one conversation. */
export interface Observed {
  readonly seen: readonly SeenRequest[];
  /** Whole requests at the backend. */
  readonly received: readonly MessageText[];
  /** Status and body of each final answer at the client. */
  readonly answers: readonly MessageText[];
  readonly refusals: readonly string[];
  readonly isClosed: boolean;
  /** What went wrong with the conversation itself. */
  readonly faults: readonly string[];
}

const sentinel = 'SENTINEL / HTTP/1.1\r\nHost: sentinel\r\n\r\n';
const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';

/** A server, its backend and the way between them, for one client at a time. */
export class RequestLane implements Lane {
  #running: RunningServer | undefined = undefined;
  #upstream: Upstream | undefined = undefined;
  #closeBackend: () => void = () => undefined;
  readonly #backends = new Set<Listening>();
  #seen: SeenRequest[] = [];
  #received: MessageText[] = [];
  #refusals: string[] = [];
  #faults: string[] = [];

  static async start(engine: Engine, settings: RequestSettings): Promise<RequestLane> {
    const lane = new RequestLane();
    const { server, port } = await listen((socket) => lane.#serve(new Listening(socket)));
    lane.#closeBackend = () => server.close();
    lane.#upstream = engine.createUpstream({
      ...upstreamDefaults,
      host: loopback,
      readMsMax: 5_000,
      bodyMsMax: 5_000,
      port,
    });
    lane.#running = await engine.listen({
      host: loopback,
      port: 0,
      tls: undefined,
      limits: { ...limitDefaults, headerMsMax: 30_000, ...settings.limits },
      target: { mergeSlashes: false, encodedSlash: 'keep', ...settings.target },
      onExchange: (exchange) => lane.#forward(exchange),
      onRefusal: (refusal) => void lane.#refusals.push(refusal.reason),
    });
    return lane;
  }

  async close(): Promise<void> {
    await this.#upstream?.close(0);
    await this.#running?.close(0);
    for (const backend of this.#backends) backend.socket.destroy();
    this.#closeBackend();
  }

  /** Sends the bytes of a case, cut at these places, and waits for its end. */
  async play({ bytes, expect }: RequestCase, places: readonly number[]): Promise<Observed> {
    this.#seen = [];
    this.#received = [];
    this.#refusals = [];
    this.#faults = [];
    const client = await connectTo(this.#running?.port ?? 0);
    await writeCut(client.socket, bytes, places);
    if ('unfinished' in expect) {
      await client.until(() => this.#answers(client).length >= (expect.after ?? 0));
      client.socket.end();
    }
    const staysOpen = 'forwarded' in expect && expect.connection !== 'closed';
    if (staysOpen) {
      const isAnswered = await client.until(
        () => client.isClosed || this.#answers(client).length >= expect.forwarded.length,
      );
      if (!isAnswered) this.#faults.push('an answer is missing');
      // Proves that nothing is left over: the next request begins where the last one ended.
      if (!client.isClosed) client.socket.write(sentinel);
      if (
        !(await client.until(() => client.isClosed || this.#answers(client).length > expect.forwarded.length))
      )
        this.#faults.push('the next request is not answered');
    } else if (!(await client.until(() => client.isClosed)))
      this.#faults.push('the connection is not closed');
    await this.#settle();
    const { answers, rest } = this.#read(client);
    if (client.isClosed && rest !== '') this.#faults.push(`half an answer: ${JSON.stringify(rest)}`);
    const observed = {
      seen: this.#seen,
      received: this.#received,
      answers,
      refusals: this.#refusals,
      isClosed: client.isClosed,
      faults: this.#faults,
    };
    if (!client.isClosed) client.socket.resetAndDestroy();
    return observed;
  }

  /** Waits until the backend has no half request: a request that broke has to be taken away from it. */
  async #settle(): Promise<void> {
    await turns(1);
    for (const backend of this.#backends) {
      if (backend.text !== '' && !(await backend.until(() => backend.isClosed || backend.text === '')))
        this.#faults.push(`the backend is left with ${JSON.stringify(backend.text)}`);
    }
  }

  #answers(client: Listening): readonly MessageText[] {
    return this.#read(client).answers;
  }

  #read(client: Listening): { readonly answers: readonly MessageText[]; readonly rest: string } {
    const answers: MessageText[] = [];
    let rest = client.text;
    for (;;) {
      const method = this.#seen[answers.length]?.method;
      const hasNoBody = method === 'HEAD' || /^HTTP\/1\.1 (?:1..|204|304)/.test(rest);
      const message = readMessageText(rest, { hasNoBody, isEnded: client.isClosed });
      if (message === undefined || message.end === 0) return { answers, rest };
      rest = rest.slice(message.end);
      if (!message.start.startsWith('HTTP/1.1 1')) answers.push(message);
    }
  }

  #forward(exchange: Exchange): void {
    const { request } = exchange;
    const { method, path, query, headers, body, isUpgrade, authority, host } = request;
    if (method === 'SENTINEL')
      return exchange.respond({ status: 204, headers: exchange.createHeaders() }, undefined);
    this.#seen.push({
      method,
      path,
      query,
      authority,
      host,
      version: request.httpVersion,
      lines: linesOf(headers),
    });
    const target = query === undefined ? path : `${path}?${query}`;
    this.#upstream?.send({ method, target, headers, body, exchange, isUpgrade }, (result) => {
      if (result.kind === 'response') exchange.respond(result.head, result.body);
      else
        exchange.respond(
          { status: 502, headers: exchange.createHeaders() },
          result.kind === 'failure' ? result.failure : 'upgrade',
        );
    });
  }

  #serve(backend: Listening): void {
    this.#backends.add(backend);
    backend.socket.on('close', () => this.#backends.delete(backend));
    backend.socket.on('data', () => {
      try {
        for (;;) {
          const message = readMessageText(backend.text, { hasNoBody: false, isEnded: undefined });
          if (message === undefined) return;
          backend.text = backend.text.slice(message.end);
          this.#received.push(message);
          backend.socket.write(message.start.startsWith('HEAD ') ? answer : `${answer}ok`);
        }
      } catch (error) {
        this.#faults.push(`the backend was sent ${JSON.stringify(backend.text)}: ${String(error)}`);
        backend.socket.destroy();
      }
    });
  }
}

function linesOf(headers: HeaderList): readonly (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  headers.forEach((name, value) => lines.push([name, value]));
  return lines;
}
