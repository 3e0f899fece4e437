import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before } from 'node:test';

import { apiDefinition, call, startLocalGateway, type LocalGateway } from '../kit/gateway/gateway.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a caller sends. */
export interface Send {
  readonly method?: string;
  /** Below the API's context path; what begins with `=` is sent as it is. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** What a backend answers; 200 with an empty body where nothing is said. */
export interface BackendAnswer {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Cuts the connection before it answers. */
  readonly isCut?: boolean;
  /** Answers so many ms later. */
  readonly afterMs?: number;
}

type HeaderExpectation = string | RegExp | undefined | readonly string[];

/** What reached a backend; `undefined` for a header says that it is not there. */
export interface Asked {
  readonly method?: string;
  readonly url?: string | RegExp;
  readonly headers?: Readonly<Record<string, HeaderExpectation>>;
  readonly body?: string | RegExp;
  /** Which of the row's backends; 0 for `{target}`. */
  readonly backend?: number;
}

/** What a caller gets. */
export interface Got {
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, HeaderExpectation>>;
  readonly body?: string | RegExp | Json | readonly unknown[];
  /** What reached the backends for it, in order; `false` for nothing. */
  readonly asked?: Asked | readonly Asked[] | false;
}

/** The same API asked several times. */
type Exchange = readonly [send: Send, got: Got];

/** What a row may speak of. */
export interface RowPlace {
  /** The API's id, and its context path without the slash. */
  readonly id: string;
  /** URLs of three backends; nobody listens at the fourth. */
  readonly targets: readonly [string, string, string, string];
}

/** One sentence about how an API behaves, with a definition and exchanges that show it. */
export interface Row {
  readonly says: string;
  /** Fields of the definition beside the plain one: a keyless API with one endpoint. */
  readonly api?: Json | ((place: RowPlace) => Json);
  /** The whole file instead, as text or as JSON. */
  readonly file?: (place: RowPlace) => Json | string;
  readonly subscriptions?: readonly Json[];
  /** What the backends answer, in the order of their calls; the last one goes on. */
  readonly backend?: BackendAnswer | readonly BackendAnswer[];
  readonly exchanges: Exchange | readonly Exchange[];
}

/** What only a whole gateway can have. */
export interface GatewayOf {
  readonly config?: Json;
  readonly tables?: Json;
}

interface Arrived {
  readonly backend: number;
  readonly request: IncomingMessage;
  readonly body: string;
}

/**
 * Opens one gateway with real backends for rows, and gives one test a row, named by what it says; the file that declares them is told of
 * when one fails.
 *
 * settings: configuration of the gateway; `isthmus.yaml` beside the definitions may hold `tables` (dictionaries ...).
 */
export function behaviour(
  subject: string,
  rows: readonly Row[],
  settings: GatewayOf = {},
): readonly (readonly [name: string, play: () => Promise<void>])[] {
  const stage = new Stage(subject, rows, settings);
  before(() => stage.open());
  after(() => stage.close());
  return rows.map((row, index) => [`${subject}: ${row.says}`, () => stage.play(row, index)]);
}

class Stage {
  readonly #subject: string;
  readonly #rows: readonly Row[];
  readonly #settings: GatewayOf;
  readonly #closers: (() => unknown)[] = [];
  #targets: RowPlace['targets'] = ['', '', '', ''];
  #gateway: LocalGateway | undefined;
  /** What happens now: exchanges of rows follow each other. */
  #answers: readonly BackendAnswer[] = [];
  #arrived: Arrived[] = [];

  constructor(subject: string, rows: readonly Row[], settings: GatewayOf) {
    this.#subject = subject;
    this.#rows = rows;
    this.#settings = settings;
  }

  async open(): Promise<void> {
    const ports = await Promise.all([0, 1, 2].map((index) => this.#startBackend(index)));
    const closed = await freePort();
    this.#targets = [...ports, closed].map(
      (port) => `http://127.0.0.1:${port}`,
    ) as unknown as RowPlace['targets'];
    const apis = Object.fromEntries(
      this.#rows.map((row, index) => [this.#id(index), this.#fileOf(row, index)]),
    );
    const subscriptions = this.#rows.flatMap((row, index) =>
      (row.subscriptions ?? []).map((one, n) => ({
        id: `${this.#id(index)}-${n}`,
        api: this.#id(index),
        application: `app-${n}`,
        ...one,
      })),
    );
    const t = { after: (close: () => unknown) => void this.#closers.push(close) };
    this.#gateway = await startLocalGateway(t, {
      apis: { ...apis, 'isthmus.json': JSON.stringify({ subscriptions, ...this.#settings.tables }) },
      config: { ...this.#settings.config },
    });
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
  }

  async play(row: Row, index: number): Promise<void> {
    const refused = this.#gateway?.logged.find(
      (line) => line.includes(`"file":"${this.#id(index)}.json"`) && line.includes('refused'),
    );
    assert.equal(refused, undefined, 'the definition loads');
    const exchanges = isExchange(row.exchanges) ? [row.exchanges] : row.exchanges;
    this.#answers = row.backend === undefined ? [] : 'length' in row.backend ? row.backend : [row.backend];
    for (const [send, got] of exchanges) {
      this.#arrived = [];
      const answer = await this.#call(send, this.#id(index));
      this.#judge(got, answer);
    }
  }

  #id(index: number): string {
    return `${this.#subject.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}-${index}`;
  }

  #fileOf(row: Row, index: number): Json | string {
    const place = { id: this.#id(index), targets: this.#targets };
    if (row.file !== undefined) return row.file(place);
    return apiDefinition(
      place.id,
      place.targets[0],
      typeof row.api === 'function' ? row.api(place) : row.api,
    );
  }

  #call(send: Send, id: string): ReturnType<typeof call> {
    const path = send.path ?? '';
    return call(
      this.#gateway?.port ?? 0,
      path.startsWith('=') ? path.slice(1).replaceAll('{id}', id) : `/${id}${path}`,
      send,
    );
  }

  #judge(got: Got, answer: Awaited<ReturnType<typeof call>>): void {
    const about = JSON.stringify({
      ...answer,
      arrived: this.#arrived.map(({ request }) => `${request.method} ${request.url}`),
    });
    if (got.status !== undefined) assert.equal(answer.status, got.status, about);
    if (got.reason !== undefined) assert.equal(answer.reason, got.reason);
    compareHeaders(got.headers, answer.headers);
    if (typeof got.body === 'string') assert.equal(answer.text, got.body);
    else if (got.body instanceof RegExp) assert.match(answer.text, got.body);
    else if (got.body !== undefined) assert.deepEqual(JSON.parse(answer.text), got.body);
    if (got.asked === undefined) return;
    const asked = got.asked === false ? [] : 'length' in got.asked ? got.asked : [got.asked];
    assert.equal(this.#arrived.length, asked.length, `so many calls of backends: ${about}`);
    asked.forEach((one, index) => {
      const arrived = this.#arrived[index];
      assert.ok(arrived);
      const { request, body, backend } = arrived;
      if (one.method !== undefined) assert.equal(request.method, one.method);
      if (one.url instanceof RegExp) assert.match(request.url ?? '', one.url);
      else if (one.url !== undefined) assert.equal(request.url, one.url);
      compareHeaders(one.headers, request.headers);
      if (one.body instanceof RegExp) assert.match(body, one.body);
      else if (one.body !== undefined) assert.equal(body, one.body);
      if (one.backend !== undefined) assert.equal(backend, one.backend);
    });
  }

  async #startBackend(index: number): Promise<number> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const nth = this.#arrived.length;
        this.#arrived.push({ backend: index, request, body: Buffer.concat(parts).toString() });
        answer(response, this.#answers[nth] ?? this.#answers.at(-1) ?? {});
      });
      // Callers go away in some rows.
      request.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#closers.push(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
    return (server.address() as AddressInfo).port;
  }
}

function answer(response: ServerResponse, of: BackendAnswer): void {
  if (of.isCut === true) return void response.destroy();
  const send = (): void => {
    const headers = Object.fromEntries(
      Object.entries(of.headers ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : [...value],
      ]),
    );
    if (of.reason === undefined) response.writeHead(of.status ?? 200, headers);
    else response.writeHead(of.status ?? 200, of.reason, headers);
    response.end(of.body ?? '');
  };
  if (of.afterMs === undefined) send();
  else setTimeout(send, of.afterMs).unref();
}

const isExchange = (of: Row['exchanges']): of is Exchange => of.length === 2 && !Array.isArray(of[0]);

function compareHeaders(expected: Got['headers'], headers: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(expected ?? {})) {
    const found = headers[name.toLowerCase()];
    if (value instanceof RegExp) assert.match(String(found), value, name);
    else if (value === undefined || typeof value === 'string') assert.equal(found, value, name);
    else assert.deepEqual(found, value, name);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
