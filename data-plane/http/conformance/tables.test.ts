import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTY, INCOMPLETE } from '../message/fields.ts';
import { parseRequestHead, RequestHead } from '../message/request-head.ts';
import { parseResponseHead, ResponseHeadPlaces } from '../message/response-head.ts';
import { refusals } from '../message/refusal.ts';
import { answerThemes } from './cases/answers.ts';
import { requestThemes } from './cases/requests.ts';
import { everyWayToCut, mainWaysToCut } from './cuts.ts';
import { limitDefaults, upstreamDefaults } from './stage.ts';

const requests = Object.values(requestThemes).flat();
const answers = Object.values(answerThemes).flat();

test('the tables hold what issue 4 asks for: 400 requests, 120 answers, all different', () => {
  assert.ok(requests.length >= 400, `${requests.length} requests`);
  assert.ok(answers.length >= 120, `${answers.length} answers`);
  for (const cases of [requests, answers]) {
    const names = cases.map(({ name, section }) => `${section}: ${name}`);
    assert.deepEqual(repeated(names), []);
    assert.deepEqual(repeated(cases.map(({ bytes, settings }) => JSON.stringify([bytes, settings]))), []);
    assert.deepEqual(
      cases.filter(({ name, section }) => name === '' || section === ''),
      [],
    );
  }
});

test('every refusal that bytes alone can cause has a case', () => {
  // These need time or a crowd, or are no HTTP/1.1: the hostile clients and the abort table have them, and those of h2/.
  const others = [
    'header-timeout',
    'body-too-slow',
    'stream-idle',
    'overloaded',
    'tls-handshake',
    'plain-http',
    'client-certificate',
    'too-many-connections',
    'http2-error',
    'http2-flood',
  ];
  const met = new Set(
    requests.map(({ expect }) =>
      'refused' in expect ? expect.refused : 'broken' in expect ? expect.broken : '',
    ),
  );
  assert.deepEqual(
    Object.keys(refusals).filter(
      (reason) => !others.includes(reason) && !met.has(reason as keyof typeof refusals),
    ),
    [],
  );
});

test('every case is cut whole, byte by byte, and in two at every place; in the short run at every end of a line', () => {
  assert.deepEqual(everyWayToCut('abc'), [[], [1, 2], [1], [2]]);
  assert.deepEqual(everyWayToCut('a'), [[]]);
  for (const { bytes } of [...requests, ...answers])
    if (bytes.length > 2 && bytes.length <= 1_024)
      assert.equal(everyWayToCut(bytes).length, bytes.length + 1);
  assert.deepEqual(mainWaysToCut('ab\r\nc'), [[], [1, 2, 3, 4], [2], [3], [4]]);
  assert.deepEqual(mainWaysToCut('ab\ncd'), [[], [1, 2, 3, 4], [3]]);
  assert.deepEqual(mainWaysToCut('a'), [[]]);
});

test('what the request parser says of a prefix it says of the whole', () => {
  for (const { name, bytes, settings } of requests) {
    assertPrefixes(name, Buffer.from(bytes, 'latin1'), (part, end) => {
      const head = new RequestHead();
      const behind = parseRequestHead(part, 0, end, head, { ...limitDefaults, ...settings.limits });
      return behind === FAULTY ? head.refusal : behind;
    });
  }
});

test('what the answer parser says of a prefix it says of the whole', () => {
  for (const { name, bytes, settings } of answers) {
    assertPrefixes(name, Buffer.from(bytes, 'latin1'), (part, end) => {
      const head = new ResponseHeadPlaces();
      const limits = { ...upstreamDefaults, ...settings.limits, blankBeforeColon: 'removed' } as const;
      const behind = parseResponseHead(part, 0, end, head, limits);
      return behind === FAULTY ? head.invalid : behind;
    });
  }
});

type Outcome = string | number | undefined;

/** The first thing that is said stays said; the bytes behind a prefix are there, but not to be looked at. */
function assertPrefixes(name: string, bytes: Buffer, parse: (bytes: Buffer, end: number) => Outcome): void {
  const whole = parse(bytes, bytes.length);
  const every = bytes.length <= 1_024 ? 1 : 97;
  for (let end = 0; end < bytes.length; end += every) {
    const padded = Buffer.concat([bytes.subarray(0, end), Buffer.from('\r\n\r\n')]);
    for (const from of [bytes, padded]) {
      const said = parse(from, end);
      if (said !== INCOMPLETE) assert.equal(said, whole, `${name}: its first ${end} bytes`);
    }
  }
}

function repeated(texts: readonly string[]): readonly string[] {
  return texts.filter((text, at) => texts.indexOf(text) !== at);
}
