import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { readApi } from '../../../proto/definition/read.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';
import { encodeApi } from '../../../proto/wire/payloads.ts';
import { Random } from '../random.ts';
import { readResponse } from '../../sim/strict-response.ts';
import { accessRecords } from './access-records.ts';
import { createAuthority } from '../servers/certificates.ts';
import { type LocalGateway, startLocalGateway } from './gateway.ts';
import { createOddDefinition, type OddDefinition, type OddTargets } from './odd-texts.ts';
import { tempDir } from '../temp-dir.ts';

/** What a round found. */
export interface OddRound {
  readonly inputs: number;
  readonly loaded: number;
  readonly requests: number;
  /** One line each; empty is what is promised. */
  readonly findings: readonly string[];
}

const key = 'secret-key-1';
const answerMsMax = 15_000;

/** Backends that answer anything, and count what was no request. */
export async function startOddTargets(
  t: TestContext,
): Promise<OddTargets & { readonly broken: () => number }> {
  let broken = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => undefined).resume();
    response.writeHead(200, { 'content-type': 'application/json', 'x-seen': 'yes' }).end('{"ok":true}');
  };
  const authority = createAuthority(tempDir(t));
  const { certFile, keyFile } = authority.issue('backend');
  const servers = [
    createPlainServer(answer),
    createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, answer),
  ];
  const ports: number[] = [];
  for (const server of servers) {
    server.on('clientError', (error: Error & { code?: string }, socket) => {
      if (error.code?.startsWith('HPE_') === true) broken += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
    t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  }
  const [plainPort = 0, tlsPort = 0] = ports;
  return { plainPort, tlsPort, authority: readFileSync(authority.caFile, 'utf8'), broken: () => broken };
}

/**
 * Loads definitions with odd texts into a gateway, half of them as files and half as published records, and calls every one.
 *
 * Each is refused with the path of a text that was put in, or answers every request in strict HTTP; harmless texts are never refused;
 * nothing throws, and every access record is JSON.
 */
export async function playOddRound(
  t: TestContext,
  targets: OddTargets,
  round: { readonly seed: number; readonly number: number; readonly inputs: number },
): Promise<OddRound> {
  const random = new Random(round.seed, round.number);
  const inputs = Array.from({ length: round.inputs }, (_, at) =>
    createOddDefinition(random, `api-${round.number}-${at}`, targets),
  );
  const files = inputs.filter((_, at) => at % 2 === 0);
  const records = inputs.filter((_, at) => at % 2 === 1);
  const dataDir = join(tempDir(t), 'data');
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(files.map(({ id, definition }) => [id, definition])),
    subscriptions: files.map(({ id }, at) => ({
      id: `s${at}`,
      api: id,
      plan: 'keys',
      application: 'Łódź\r\n',
      apiKeys: at === 0 ? [key, 'Łódź\0'] : [key],
    })),
    config: { dataDir, report: { enabled: true } },
  });
  const refusals = new Map([...(await problemsOf(gateway)), ...publish(gateway, records)]);
  const findings: string[] = [];
  let requests = 0;
  await Promise.all(
    inputs.map(async (input, at) => {
      const refusal = refusals.get(input.id);
      const say = (what: string): number =>
        findings.push(`${input.id}: ${what}; ${JSON.stringify(input.oddities).slice(0, 600)}`);
      if (refusal !== undefined) judgeRefusal(input, refusal).forEach(say);
      // What was not refused can be read, or the gateway took what nobody can read.
      const read = refusal === undefined ? readAs(input, { isFile: at % 2 === 0, say }) : undefined;
      for (const { text, method } of requestsOf(input, read)) {
        requests += 1;
        const fault = await ask(gateway.port, text, method);
        if (fault !== undefined) say(`${fault} for ${JSON.stringify(text)}`);
      }
    }),
  );
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  if (/^isthmus_gateway_thrown_total [1-9]/m.test(metrics))
    findings.push(
      `something threw: ${gateway.logged
        .filter((line) => line.includes('"stack"'))
        .slice(0, 3)
        .join('')}`,
    );
  await gateway.close();
  const recorded = await accessRecords(dataDir);
  if (recorded.length === 0) findings.push('no access record');
  return { inputs: inputs.length, loaded: inputs.length - refusals.size, requests, findings };
}

/** Files that are not in service, as an operator sees them. */
async function problemsOf(
  gateway: LocalGateway,
): Promise<readonly (readonly [id: string, reason: string])[]> {
  const answer = await fetch(`${gateway.nodeApi}/health/ready`);
  const { problems } = (await answer.json()) as {
    readonly problems: readonly { file: string; reason: string }[];
  };
  return problems.map(({ file, reason }) => [file.replace(/\.json$/, ''), reason]);
}

/** Publishes to the gateway; returns what it refused. */
function publish(
  gateway: LocalGateway,
  inputs: readonly OddDefinition[],
): readonly (readonly [id: string, reason: string])[] {
  const set = inputs.map(({ id, definition }, at) => {
    const name = typeof definition['name'] === 'string' ? definition['name'] : id;
    // The management API takes no half characters, and no longer names.
    const payload = encodeApi({
      id,
      name: name.slice(0, 256).toWellFormed(),
      revision: '1',
      definition: JSON.stringify(definition),
    });
    return { kind: 'api', id, seq: at + 1, revision: '1', payload } as const;
  });
  const nacks = gateway.deployments.apply({
    organization: 'DEFAULT',
    environment: 'PUBLISHED',
    seq: set.length,
    isFull: true,
    set,
    removed: [],
  });
  return nacks.map(({ id, code, reason }) => [id, code === 'platform.bug' ? `a bug: ${reason}` : reason]);
}

function judgeRefusal({ oddities }: OddDefinition, reason: string): readonly string[] {
  // Two inputs may end at the same path, e.g. both at /.
  if (/^The context path .* is taken/s.test(reason)) return [];
  // ... and one text may come to stand for two names.
  if (/is there twice; names are unique/.test(reason)) return [];
  const named = oddities.filter(({ path }) => namesOf(path).some((name) => reason.includes(name)));
  if (named.length === 0) return [`refused without the path of a text: ${reason.slice(0, 300)}`];
  return named.every(({ isHarmless }) => isHarmless)
    ? [`a harmless text is refused: ${reason.slice(0, 300)}`]
    : [];
}

/** The definition as the gateway has it; a file without a name is named by its id. */
function readAs(
  { id, definition }: OddDefinition,
  how: { readonly isFile: boolean; readonly say: (what: string) => number },
): ApiDefinition | undefined {
  const isNameless = how.isFile && definition['name'] === '';
  try {
    return readApi({ ...definition, id: 'any', ...(isNameless && { name: id }) }).api;
  } catch (error) {
    how.say(`loaded, although it cannot be read: ${String(error)}`);
    return undefined;
  }
}

/** A place is named by its path, or by its holder's when it is there twice. Long keys are cut. */
function namesOf(path: string): readonly string[] {
  const holder = path.replace(/(?:\.[^.[\]]+|\[\d+\])$/s, '');
  return [path.slice(0, 300), ...(holder.includes('[') && holder !== path ? [holder] : [])];
}

/** What clients say that may come back in an answer or go on to a backend, as bytes. */
const headers = {
  plain: 'Accept: */*',
  keyed: `X-Gravitee-Api-Key: ${key}`,
  wrongKey: 'X-Gravitee-Api-Key: w\xf6rong\r\nAccept: application/json',
  origin: 'Origin: https://\xe9\xff.example\r\nAccept: text/html',
  preflight:
    'Origin: https://\xe9.example\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-asked, \xe9\r\nAccess-Control-Request-Private-Network: true',
  odd: 'X-Forwarded-For: \xff, 1.2.3.4\r\nX-Forwarded-Host: \xe9\r\nForwarded: for=\xe9\r\nX-Gravitee-Transaction-Id: \xe9\t\xe9\r\nX-Gravitee-Request-Id: \xff\r\nUser-Agent: \xe9\r\nX-Kept: \xe9',
};

function requestsOf(
  { id }: OddDefinition,
  read: ApiDefinition | undefined,
): readonly { readonly text: string; readonly method: string }[] {
  const [first] = read?.listeners.flatMap(({ paths }) => paths) ?? [];
  const base = first === undefined ? `/${id}` : first.path.replace(/\/$/, '');
  const host = first?.host ?? 'h.example';
  const request = (line: string, lines: string, body = ''): { text: string; method: string } => ({
    text: `${line} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\nConnection: close\r\n\r\n${body}`,
    method: line.split(' ')[0] ?? '',
  });
  if (read === undefined) return [request(`GET ${base}/x`, headers.plain)];
  return [
    request(`GET ${base}/x?a=%C5%81`, headers.plain),
    request(`GET ${base}/x`, headers.keyed),
    request(`GET ${base}/transform/x?api-key=%C5%81`, headers.origin),
    request(`GET ${base}/transform`, `${headers.keyed}\r\n${headers.odd}`),
    request(`GET ${base}/transform`, headers.wrongKey),
    request(`OPTIONS ${base}/x`, headers.preflight),
    request(`HEAD ${base}/mock`, headers.plain),
    request(`GET ${base}/mock`, headers.origin),
    request(`POST ${base}/limited`, `${headers.odd}\r\nContent-Length: 4`, '\xff\xfe\0a'),
    request(`GET ${base}/limited`, headers.plain),
    request(`GET ${base}/limited`, headers.plain),
    request(`HEAD ${base}/orders/7`, headers.wrongKey),
    request(
      `POST http://${host}${base}/transform`,
      `${headers.plain}\r\nTransfer-Encoding: chunked`,
      '1\r\na\r\n0\r\n\r\n',
    ),
    request(`GET ${base}/x`, `${headers.plain}\r\nConnection: Upgrade\r\nUpgrade: websocket`),
    request(`GET ${base}/%C5%81/%00`, headers.plain),
    request(`M-SEARCH ${base}/x`, headers.plain),
    request('GET /nowhere-at-all', headers.odd),
  ];
}

/** Sends one request; says what is wrong with the answer. */
// oxlint-disable-next-line max-params -- a test's own shorthand
function ask(port: number, text: string, method: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const pieces: Buffer[] = [];
    const timer = setTimeout(() => end('open', 'no answer'), answerMsMax);
    const end = (ending: 'fin' | 'reset' | 'open', otherwise: string): void => {
      clearTimeout(timer);
      socket.destroy();
      const reading = readResponse(Buffer.concat(pieces), 0, { method, ending });
      if (reading.kind === 'complete') return resolve(undefined);
      resolve(reading.kind === 'ambiguous' ? `an ambiguous answer (${reading.reason})` : otherwise);
    };
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('end', () => end('fin', 'an answer in part'));
    socket.on('error', () => end('reset', 'a reset'));
    socket.write(text, 'latin1');
  });
}
