import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';

import { eventually } from '../kit/eventually.ts';
import { accessRecords, logRecords } from '../kit/gateway/access-records.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../kit/gateway/gateway.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { type Backends, startBackends } from './backends.ts';
import { type Answer, Caller } from './caller.ts';
import type { Asked, Exchange, GatewayOf, Got, Json, Row, RowPlace, Send, Subject, Version } from './row.ts';
import { trustIn } from './trust.ts';

/** A row with its API's id. */
export interface Placed {
  readonly id: string;
  readonly name: string;
  readonly row: Row;
}

/** The rows of a subject, each with the id of its API. */
export function placed({ name, rows }: Subject): readonly Placed[] {
  const id = name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
  return rows.map((row, index) => ({ id: `${id}-${index}`, name: `${name}: ${row.says}`, row }));
}

/** The file of a row. */
export function fileOf({ row, id }: Placed, rest: Omit<RowPlace, 'id'>): Json | string {
  const place = { ...rest, id };
  if (row.file !== undefined) return row.file(place);
  return apiDefinition(id, place.targets[0], typeof row.api === 'function' ? row.api(place) : row.api);
}

/** A gateway, and who asks each of its servers. */
interface Played {
  readonly gateway: LocalGateway;
  readonly callers: ReadonlyMap<string, Caller>;
  readonly dataDir: string;
}

/** Real backends, and two gateways before them that serve the same rows: one is asked in HTTP/1.1, the other in HTTP/2. */
export class Stage {
  readonly #rows: readonly Placed[];
  readonly #of: GatewayOf;
  readonly #closers: (() => unknown)[] = [];
  readonly #gateways = new Map<Version, Played>();
  #backends: Backends | undefined;

  constructor(rows: readonly Placed[], of: GatewayOf) {
    this.#rows = rows;
    this.#of = of;
  }

  async open(): Promise<void> {
    const t = { after: (close: () => unknown) => void this.#closers.push(close) };
    const folder = tempDir(t, 'isthmus-behaviour');
    const trust = trustIn(folder);
    const backends = await startBackends(t, trust);
    this.#backends = backends;
    const apis = Object.fromEntries(
      this.#rows.map((each) => [each.id, fileOf(each, { ...backends, trust })]),
    );
    const subscriptions = this.#rows.flatMap(({ row, id }) =>
      (row.subscriptions ?? []).map((one, n) => ({
        id: `${id}-${n}`,
        api: id,
        application: `app-${n}`,
        ...one,
      })),
    );
    const { clientAuth, tables, config, isRecording = false } = this.#of;
    const isTls = clientAuth !== undefined;
    const server = {
      certFile: join(folder, 'trust/backend.pem'),
      keyFile: join(folder, 'trust/backend.key'),
    };
    for (const version of ['1.1', '2'] as const) {
      const dataDir = join(folder, version);
      const gateway = await startLocalGateway(t, {
        apis: { ...apis, 'isthmus.json': JSON.stringify({ subscriptions, ...tables }) },
        config: {
          dataDir,
          report: { enabled: isRecording },
          ...config,
          listen: {
            // Both gateways and all backends live in this process, whose start holds the first request up; that bound has tests of its own.
            eventLoopLagMsMax: 0,
            ...(config?.['listen'] as object | undefined),
            ...(isTls
              ? { tls: { ...server, clientAuth, alpn: ['h2', 'http/1.1'] } }
              : { http2: { clearText: true } }),
          },
        },
      });
      const callers = new Map(
        [...gateway.ports].map(([server, port]) => [server, new Caller(version, port, isTls)]),
      );
      t.after(() => callers.forEach((caller) => caller.close()));
      this.#gateways.set(version, { gateway, callers, dataDir });
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
  }

  async play({ row, id }: Placed, version: Version): Promise<void> {
    const { gateway } = this.#at(version);
    const refused = gateway.logged.find(
      (line) => line.includes(`"file":"${id}.json"`) && line.includes('refused'),
    );
    if (row.refused === undefined) assert.equal(refused, undefined, 'the definition loads');
    else assert.match(refused ?? 'taken', row.refused);
    const backends = this.#played();
    for (const [send, got] of exchangesOf(row)) {
      const own = 'length' in send ? undefined : send.backend;
      const answers = own ?? row.backend ?? [];
      backends.answers = 'length' in answers ? answers : [answers];
      const ask = (): Promise<true> => this.#exchange(version, id, [send, got]);
      if (got.isAwaited === true) await eventually(ask, { timeoutMs: 15_000, everyMs: 100 });
      else await ask();
    }
  }

  async #exchange(version: Version, id: string, [send, got]: Exchange): Promise<true> {
    this.#played().arrived = [];
    if ('length' in send) {
      const answers = await Promise.all(send.map((one) => this.#call(version, one, id)));
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      if (got.statuses !== undefined) assert.deepEqual(statuses, got.statuses);
    } else {
      const answer = await this.#call(version, send, id);
      judgeAnswer(got, answer, this.#about(answer));
      await this.#judgeRecords(version, got, answer);
    }
    if (got.asked !== undefined) this.#judgeAsked(got.asked);
    return true;
  }

  #call(version: Version, send: Send, id: string): Promise<Answer> {
    const path = send.path ?? '';
    const { callers } = this.#at(version);
    const [first = ''] = callers.keys();
    const caller = callers.get(send.server ?? first);
    assert.ok(caller, `there is a server ${send.server}`);
    return caller.call(path.startsWith('=') ? path.slice(1).replaceAll('{id}', id) : `/${id}${path}`, send);
  }

  #judgeAsked(expected: NonNullable<Got['asked']>): void {
    const asked: readonly Asked[] = expected === false ? [] : 'length' in expected ? expected : [expected];
    const { arrived } = this.#played();
    assert.equal(arrived.length, asked.length, `so many calls of backends: ${this.#about()}`);
    asked.forEach((one, index) => {
      const seen = arrived[index];
      assert.ok(seen);
      compareHeaders(one.headers, seen.headers);
      for (const name of ['method', 'url', 'body', 'backend', 'version', 'certificate'] as const) {
        const wanted = one[name];
        if (wanted instanceof RegExp) assert.match(String(seen[name]), wanted);
        else if (name in one) assert.equal(seen[name], wanted, name);
      }
    });
  }

  /** What was recorded and logged of an answer, which comes a moment later. */
  async #judgeRecords(version: Version, { record, log }: Got, { headers }: Answer): Promise<void> {
    if (record === undefined && log === undefined) return;
    const { dataDir } = this.#at(version);
    const isIts = (one: Json): boolean => one['request_id'] === headers['x-gravitee-request-id'];
    const recorded = await eventually(async () => (await accessRecords(dataDir)).find(isIts), {
      everyMs: 50,
    });
    if (record !== undefined) assert.partialDeepStrictEqual(recorded, record);
    if (log === false) assert.equal((await logRecords(dataDir)).find(isIts), undefined);
    else if (log !== undefined) {
      const line = await eventually(async () => (await logRecords(dataDir)).find(isIts));
      for (const [name, value] of Object.entries(log))
        if (value instanceof RegExp) assert.match(JSON.stringify(line[name]), value);
        else assert.deepEqual(line[name], value, name);
    }
  }

  #about(answer?: Answer): string {
    const arrived = this.#played().arrived.map(({ method, url }) => `${method} ${url}`);
    return JSON.stringify({ ...answer, arrived });
  }

  #at(version: Version) {
    const found = this.#gateways.get(version);
    assert.ok(found);
    return found;
  }

  #played(): Backends {
    assert.ok(this.#backends);
    return this.#backends;
  }
}

/** The exchanges of a row. */
export function exchangesOf({ exchanges }: Row): readonly Exchange[] {
  return isExchange(exchanges) ? [exchanges] : exchanges;
}

// The second of an exchange is what is got, no list.
const isExchange = (of: Row['exchanges']): of is Exchange => of.length === 2 && !Array.isArray(of[1]);

function judgeAnswer(got: Got, answer: Answer, about: string): void {
  if (got.status !== undefined) assert.equal(answer.status, got.status, about);
  if (got.reason !== undefined) assert.equal(answer.reason, got.reason);
  compareHeaders(got.headers, answer.headers);
  if (typeof got.body === 'string') assert.equal(answer.text, got.body);
  else if (got.body instanceof RegExp) assert.match(answer.text, got.body);
  else if (got.body !== undefined) assert.deepEqual(JSON.parse(answer.text), got.body);
}

function compareHeaders(expected: Got['headers'], headers: IncomingHttpHeaders): void {
  for (const [name, value] of Object.entries(expected ?? {})) {
    const found = headers[name.toLowerCase()];
    if (value instanceof RegExp) assert.match(String(found), value, name);
    else if (value === undefined || typeof value === 'string') assert.equal(found, value, name);
    else assert.deepEqual(found, value, name);
  }
}
