import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineRefusal } from '../engine-refusal.ts';
import type { Engine } from '../exchange.ts';
import { startProxy } from './stage.ts';

/** What is ambiguous or too large is refused and the connection closed. */
export function refusingPromises(name: string, create: () => Engine): void {
  describe(`${name}: refusals`, () => {
    for (const [why, request] of refused) {
      test(`refused and closed: ${why}`, async (t) => {
        const refusals: EngineRefusal[] = [];
        const { open, backend } = await startProxy(t, create(), {
          onRefusal: (refusal) => void refusals.push(refusal),
        });
        const client = await open(request);
        await client.closed;
        assert.match(client.text(), /^HTTP\/1\.1 4\d\d /, why);
        assert.equal(backend.count(), 0, 'it was forwarded');
        assert.equal(refusals.length, 1);
      });
    }
  });
}

const get = 'GET / HTTP/1.1\r\nHost: h\r\n';
const refused: readonly (readonly [why: string, request: string])[] = [
  [
    'Content-Length and Transfer-Encoding',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'two Content-Lengths',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  ],
  ['Content-Length that is no number', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5x\r\n\r\nhello'],
  ['negative Content-Length', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n'],
  [
    'chunked that is not last',
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
  ],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['two hosts in one', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['authority against Host', 'GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n'],
  ['a folded header', `${get}X: a\r\n b\r\n\r\n`],
  ['space before the colon', `${get}X : a\r\n\r\n`],
  ['a header without a name', `${get}: a\r\n\r\n`],
  ['a control byte in a value', `${get}X: a\x01b\r\n\r\n`],
  ['a null byte in the path', 'GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a backslash', 'GET /a\\b HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['a broken escape', 'GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['two Authorizations', `${get}Authorization: a\r\nAuthorization: b\r\n\r\n`],
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['HTTP/0.9', 'GET /\r\n\r\n'],
  ['a header block past its bound', `${get}X: ${'a'.repeat(40_000)}\r\n\r\n`],
  ['too many headers', `${get}${'X: a\r\n'.repeat(101)}\r\n`],
  ['a declared body past its bound', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n'],
];
