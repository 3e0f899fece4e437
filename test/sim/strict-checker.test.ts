import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { createRequestCase, createResponseCase, upstreamNames, type FuzzCase } from './cases.ts';
import { startCheckingUpstream } from './checking-upstream.ts';
import type { CountedExchange } from './gateway.ts';
import { LogLedger } from './judge-logs.ts';
import { judgeRequest, requestFacts, type RequestFacts } from './judge-requests.ts';
import { judgeResponse } from './judge-responses.ts';
import { minimise } from './minimise.ts';
import { mutationNames } from './mutations.ts';
import { readReproduction, writeReproduction } from './reproduction.ts';
import { readRequest, readStream } from './strict-request.ts';
import { readResponse } from './strict-response.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const post = 'POST / HTTP/1.1\r\nHost: h\r\n';
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;

const planted: readonly (readonly [why: string, request: string])[] = [
  [
    'Content-Length and Transfer-Encoding',
    `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['Content-Length repeated', `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`],
  ['Content-Length that is no number', `${post}Content-Length: +1\r\n\r\nx`],
  ['Content-Length that is no number', `${post}Content-Length: 1, 1\r\n\r\nx`],
  ['Content-Length that overflows', `${post}Content-Length: 9007199254740993\r\n\r\nx`],
  ['Transfer-Encoding that is not chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  [
    'Transfer-Encoding repeated',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['bare LF', 'GET / HTTP/1.1\nHost: h\n\n'],
  ['bare LF', `${post}X: a\nY: b\r\n\r\n`],
  ['bare CR', `${post}X: a\rY: b\r\n\r\n`],
  ['obs-fold', `${post}X: a\r\n b\r\n\r\n`],
  ['Host repeated', `${post}Host: h\r\n\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['a field name that is no token', `${post}Content-Length : 1\r\n\r\nx`],
  ['a field line without a colon', `${post}nothing\r\n\r\n`],
  ['a control byte in a field value', `${post}X: a\0b\r\n\r\n`],
  ['a control byte in a field value', `${post}X: \x0bchunked\r\n\r\n`],
  ['a request line that has not three parts', 'GET  / HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a version that is not HTTP/1.x', 'GET / HTTP/1.2\r\nHost: h\r\n\r\n'],
  ['a target in no form', 'GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a chunk size that is no number', `${chunked}0x1\r\nx\r\n0\r\n\r\n`.replace('0x1', 'x1')],
  ['a chunk extension that is none', `${chunked}0x1\r\nx\r\n0\r\n\r\n`],
  ['a chunk extension that is none', `${chunked}1 \r\nx\r\n0\r\n\r\n`],
  ['a chunk size that overflows', `${chunked}ffffffffffffffff\r\nx\r\n0\r\n\r\n`],
  ['a chunk longer than announced', `${chunked}1\r\nxy\r\n0\r\n\r\n`],
  ['bare LF', `${chunked}1\nx\r\n0\r\n\r\n`],
  ['a trailer that frames', `${chunked}0\r\nContent-Length: 1\r\n\r\n`],
];

describe('the strict reader', () => {
  for (const [why, request] of planted) {
    test(`a planted ambiguity is found: ${why} in ${JSON.stringify(request.slice(0, 90))}`, () => {
      const reading = readRequest(bytes(request), 0);
      assert.deepEqual(
        { kind: reading.kind, reason: 'reason' in reading && reading.reason },
        { kind: 'ambiguous', reason: why },
      );
    });
  }

  test('requests in a row are read one by one, with their bodies', () => {
    const { requests, tail } = readStream(
      bytes(`${post}Content-Length: 2\r\n\r\nab\r\n${chunked}1;a="b"\r\nc\r\n0\r\nX-T: 1\r\n\r\nGET /x`),
    );
    assert.deepEqual(
      requests.map(({ body, trailers }) => [body, trailers.length]),
      [
        ['ab', 0],
        ['c', 1],
      ],
    );
    assert.equal(tail, 'incomplete');
  });

  for (const answer of [
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-T: 1\r\n\r\n',
  ]) {
    test(`no beginning of an answer is a whole one: ${JSON.stringify(answer.slice(0, 50))}`, () => {
      const kindOf = (length: number): string =>
        readResponse(bytes(answer.slice(0, length)), 0, { method: 'GET', ending: 'fin' }).kind;
      for (let length = 0; length < answer.length; length += 1)
        assert.equal(kindOf(length), 'incomplete', `${length} bytes`);
      assert.equal(kindOf(answer.length), 'complete');
    });
  }

  test('an answer that ends with its connection is whole when that was closed, not when it was broken', () => {
    const answer = bytes('HTTP/1.1 200 OK\r\n\r\nbody');
    assert.equal(readResponse(answer, 0, { method: 'GET', ending: 'fin' }).kind, 'complete');
    assert.equal(readResponse(answer, 0, { method: 'GET', ending: 'reset' }).kind, 'incomplete');
  });
});

test('the strict server answers what is plain, and records and cuts off what is not', async (t) => {
  const server = await startCheckingUpstream();
  t.after(() => server.stop());
  const socket = connect(server.port, '127.0.0.1');
  const closed = once(socket, 'close');
  socket.resume();
  socket.write('GET /one HTTP/1.1\r\nHost: h\r\nX-Fuzz-Id: 1-0\r\n\r\n');
  await eventually(() => server.seen.get('1-0')?.[0]?.target === '/one');
  socket.write(
    'GET /two HTTP/1.1\r\nHost: h\r\nX-Fuzz-Id: 1-1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await closed;
  assert.deepEqual(
    server.faults.map(({ reason, previousId }) => [reason, previousId]),
    [['Content-Length and Transfer-Encoding', '1-0']],
  );
});

describe('the mutator', () => {
  const casesOf = (seed: number): readonly FuzzCase[] =>
    Array.from({ length: 3_000 }, (_, number) =>
      number % 2 === 0 ? createRequestCase(seed, number, upstreamNames) : createResponseCase(seed, number),
    );

  test('the same seed gives the same cases, another seed others', () => {
    assert.deepEqual(casesOf(7), casesOf(7));
    assert.notDeepEqual(casesOf(7)[0], casesOf(8)[0]);
  });

  test('every mutation is used, and plain messages are among them', () => {
    const cases = casesOf(7);
    assert.deepEqual(
      [...new Set(cases.flatMap(({ mutations }) => mutations))].toSorted(),
      [...mutationNames].toSorted(),
    );
    const readings = cases
      .filter((fuzzCase) => fuzzCase.kind === 'request')
      .map(({ input }) => readStream(input));
    const sound = readings.filter(({ tail }) => tail === 'ended').length / readings.length;
    assert.ok(sound > 0.2 && sound < 0.8, `${sound} of the requests are sound`);
  });

  test('a case is made small without losing what it shows', async () => {
    const [fuzzCase] = casesOf(7);
    assert.ok(fuzzCase !== undefined);
    const long = { ...fuzzCase, input: bytes(`${'a'.repeat(100)}X${'b'.repeat(100)}Y`), cuts: [3, 50] };
    const small = await minimise(long, async ({ input }) => /X.*Y/.test(input.toString('latin1')), {
      triesMax: 1_000,
      msMax: 5_000,
    });
    assert.equal(small.input.toString('latin1'), 'XY');
  });

  test('a reproduction holds every byte', (t) => {
    const cases = casesOf(9).slice(0, 40);
    const path = writeReproduction(tempDir(t), { rule: 'r', detail: 'd' }, cases);
    assert.deepEqual(readReproduction(path), cases);
  });
});

describe('the judges', () => {
  const exchange = (id: string, target: string): CountedExchange => ({
    id,
    method: 'GET',
    target,
    version: '1.1',
    fields: [['Host', 'h']],
    upstream: 'nginx',
    startedMs: 0,
    outcomes: 1,
    outcome: { kind: 'complete', status: 200, requestBytes: 0, responseBytes: 0, totalUs: 1 },
    failure: undefined,
  });
  const factsOf = (exchanges: readonly CountedExchange[], heard: string): RequestFacts => {
    const input = bytes('GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n');
    const fuzzCase = {
      kind: 'request',
      seed: 0,
      number: 0,
      input,
      cuts: [],
      ending: 'wait',
      upstream: 'nginx',
      mutations: [],
    } as const;
    return requestFacts(fuzzCase, exchanges, { bytes: bytes(heard), endedBy: 'fin', hasHalfClosed: true });
  };
  const answer = (id: string): string => `HTTP/1.1 200 OK\r\nX-Fuzz-Id: ${id}\r\nContent-Length: 0\r\n\r\n`;
  const both = [exchange('1-0', '/a'), exchange('1-1', '/b')];

  test('what is as it should be is no finding', () => {
    assert.equal(judgeRequest(factsOf(both, answer('1-0') + answer('1-1'))), undefined);
  });

  for (const [rule, facts] of [
    ['more exchanges than requests', factsOf([...both, exchange('1-2', '/c')], '')],
    ['an answer lost', factsOf(both, answer('1-0'))],
    ["another exchange's answer", factsOf(both, answer('1-1') + answer('1-0'))],
    ['a request swallowed', factsOf(both.slice(0, 1), answer('1-0'))],
    ['an answer with two readings', factsOf(both, 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n')],
  ] as const) {
    test(`a gateway that errs is found: ${rule}`, () => assert.equal(judgeRequest(facts)?.rule, rule));
  }

  for (const [rule, lines] of [
    ['nginx: a request counted twice', ['1-0', '1-0', '1-1']],
    ['nginx: a request that nobody sent', ['1-0', '1-1', undefined]],
    ['nginx: a request not counted', ['1-0']],
    [undefined, ['1-1', '1-0']],
  ] as const) {
    test(`counts of a server are compared: ${rule ?? 'equal'}`, () => {
      const ledger = new LogLedger('nginx', [factsOf(both, '')]);
      ledger.add(lines.map((id) => ({ id, status: 200, port: 1 })));
      assert.equal(ledger.verdict()?.finding.rule, rule);
    });
  }

  for (const [rule, sent, heard] of [
    [
      'a truncated answer seen as complete',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'an ambiguous answer forwarded',
      'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'another body',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
    ],
    [
      undefined,
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
    ],
  ] as const) {
    test(`answers are compared: ${rule ?? 'equal'}`, () => {
      const fuzzCase = {
        ...createResponseCase(1, 1),
        method: 'GET',
        version: '1.1',
        ending: 'fin',
        input: bytes(sent),
      } as const;
      const heardBytes = { bytes: bytes(heard), endedBy: 'fin', hasHalfClosed: true } as const;
      const facts = {
        case: fuzzCase,
        exchanges: [exchange('1-0', '/')],
        heard: heardBytes,
        asked: 1,
        writtenMs: 0,
      };
      assert.equal(judgeResponse(facts)?.rule, rule);
    });
  }
});
