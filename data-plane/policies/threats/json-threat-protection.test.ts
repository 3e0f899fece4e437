import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import fc from 'fast-check';

import { catalog } from '../../../proto/policies/catalog.ts';
import { openPeer, startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { apiDefinition, call, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type KitBody, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { JsonScanner, levelsMax, namesCharsMax } from './json-scanner.ts';

const json = { 'Content-Type': 'application/json' };

/** Error key of what is refused, `passes` for what goes on unchanged. */
async function verdictOf(
  configuration: object,
  body: KitBody,
  headers: Readonly<Record<string, string>> = json,
): Promise<string> {
  const asked = startPolicy('json-threat-protection', configuration).call({ headers, body });
  const verdict = await asked.pass();
  if (verdict !== undefined) return verdict.kind === 'reject' ? verdict.key : verdict.kind;
  assert.equal(await asked.sent('request'), typeof body === 'string' ? body : body.join(''));
  return 'passes';
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const members = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 1])));

const bounds: readonly (readonly [field: string, key: string, make: (size: number) => string])[] = [
  ['maxEntries', 'JSON_THREAT_MAX_ENTRIES', members],
  ['maxArraySize', 'JSON_MAX_ARRAY_SIZE', (size) => `[${Array(size).fill('1').join(',')}]`],
  ['maxDepth', 'JSON_THREAT_MAX_DEPTH', nested],
  ['maxNameLength', 'JSON_THREAT_MAX_NAME_LENGTH', (size) => `{"${'é'.repeat(size)}":1}`],
  ['maxValueLength', 'JSON_THREAT_MAX_VALUE_LENGTH', (size) => `["${'x'.repeat(size - 1)}\\u00e9"]`],
];

for (const [field, key, make] of bounds)
  test(`${field}: a body at the bound passes, one more is refused by ${key}; -1, null and 100 without a word`, async () => {
    assert.equal(await verdictOf({ [field]: 3 }, make(3)), 'passes');
    assert.equal(await verdictOf({ [field]: 3 }, make(4)), key);
    assert.equal(await verdictOf({}, make(100)), 'passes');
    assert.equal(await verdictOf({}, make(101)), key);
    for (const none of [-1, null]) assert.equal(await verdictOf({ [field]: none }, make(5_000)), 'passes');
  });

test('a name twice in one object is refused, however it is spelled, unless that is allowed', async () => {
  const twice = [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"é":[],"\\u00e9":{}}]',
    '{"😀":1,"\\ud83d\\ude00":1}',
  ];
  for (const body of twice) {
    assert.equal(await verdictOf({}, body), 'JSON_THREAT_DETECTED', body);
    assert.equal(await verdictOf({ preventDuplicateKey: false }, body), 'passes', body);
  }
  assert.equal(await verdictOf({}, '{"a":{"a":1},"b":[{"a":1},{"a":1}]}'), 'passes');
});

test('what is no JSON is refused: grammar, encoding, an early end, a second value', async () => {
  const wrong = [
    '{',
    '{"a"}',
    '[1,]',
    '01',
    '1.',
    '-',
    '+1',
    'nul',
    "{'a':1}",
    '"\t"',
    '"\\x"',
    '[1] [2]',
    '\ufeff',
    'NaN',
  ];
  for (const body of wrong) assert.equal(await verdictOf({}, body), 'JSON_THREAT_DETECTED', body);
  for (const body of ['1', '\ufeff{}', ' [ ] ', '-0.5e+10', '"\\ud800"'])
    assert.equal(await verdictOf({}, body), 'passes', body);
});

test('who says no JSON passes unread, and is refused with 415 where JSON is enforced, without a body as well', async () => {
  const bomb = nested(5_000);
  for (const type of ['text/plain', 'application/xml', ''])
    for (const [enforceJson, verdict] of [
      [false, 'passes'],
      [true, 'JSON_THREAT_ENFORCE_JSON'],
    ] as const)
      assert.equal(
        await verdictOf({ enforceJson }, bomb, type === '' ? {} : { 'Content-Type': type }),
        verdict,
      );
  assert.equal(await verdictOf({ enforceJson: true }, '', {}), 'JSON_THREAT_ENFORCE_JSON');
  assert.equal(await verdictOf({ enforceJson: true }, ''), 'passes');
});

test('a charset, capitals and a +json type do not take a body out of its bounds', async () => {
  for (const type of ['application/json;charset=utf-8', 'Application/JSON', 'application/problem+json'])
    assert.equal(await verdictOf({}, nested(101), { 'Content-Type': type }), 'JSON_THREAT_MAX_DEPTH', type);
});

/** What reading some text in some pieces comes to. */
function scanned(text: string | Buffer, cuts: readonly number[] = [], refusesDuplicates = false) {
  const none = undefined;
  const scanner = new JsonScanner({
    entriesMax: none,
    arrayMax: none,
    depthMax: none,
    nameMax: none,
    valueMax: none,
    refusesDuplicates,
  });
  const bytes = Buffer.from(text as string);
  let from = 0;
  for (const cut of [
    ...cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ]) {
    const threat = scanner.read(bytes, from, cut);
    if (threat !== undefined) return threat;
    from = cut;
  }
  return scanner.end();
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

test('it takes exactly what JSON.parse takes, wherever the pieces are cut', () => {
  const cuts = fc.array(fc.nat(200), { maxLength: 4 });
  const spaced = fc.json().map((text) => JSON.stringify(JSON.parse(text), undefined, 1));
  fc.assert(fc.property(fc.oneof(fc.json(), spaced), cuts, (text, at) => scanned(text, at) === undefined));
  const odd = fc
    .array(
      fc.constantFrom(
        ...Array.from('{}[]:,"\\u0e-+.1 tfn\n'),
        'true',
        'null',
        '"a"',
        'é',
        '\u0000',
        '\ud83d\ude00',
        '[',
        '1',
      ),
      { maxLength: 9 },
    )
    .map((parts) => Buffer.from(parts.join('')));
  const bytes = fc
    .uint8Array({ maxLength: 4 })
    .map((inside) => Buffer.concat([Buffer.from('"'), inside, Buffer.from('"')]));
  const bent = fc.tuple(fc.json(), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, where, byte]) => {
    const made = Buffer.from(text);
    made[where % made.length] = byte;
    return made;
  });
  fc.assert(
    fc.property(
      fc.oneof(odd, bytes, bent),
      cuts,
      (text, at) => (scanned(text, at) === undefined) === isJson(text),
    ),
    { numRuns: 3_000 },
  );
});

test('what it remembers is bounded where a configuration bounds nothing: levels and names', () => {
  assert.equal(scanned(nested(levelsMax)), undefined);
  assert.equal(scanned(nested(levelsMax + 1)), 'unbounded');
  const long = 'x'.repeat(namesCharsMax - 10);
  assert.equal(scanned(`{"${long}":1,"${'y'.repeat(9)}":2}`, [], true), undefined);
  assert.equal(scanned(`{"${long}":1,"${'y'.repeat(10)}":2}`, [], true), 'unbounded');
  assert.equal(scanned(`[{"${long}":1},{"${long}":1}]`, [], true), undefined, 'closed objects are forgotten');
});

async function startGateway(t: TestContext) {
  const backend = await startBackend(t);
  const configuration = { maxArraySize: -1, maxDepth: 5 };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
        flows: [flow('/', { request: [['json-threat-protection', configuration]] })],
      }),
    },
  });
  return { backend, port: gateway.port };
}

test('a long body is refused at the byte where it exceeds, with none of the rest awaited, and the backend has no whole request', async (t) => {
  const { backend, port } = await startGateway(t);
  const head =
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n[';
  const client = await openPeer(t, { port, from: '127.0.0.1' }, head);
  const peer = (async () => backend.next())();
  client.write('1,'.repeat(100_000));
  const reached = await peer;
  await reached.until('1,1,');
  client.write('[[[[[');
  await client.until('Bad Request');
  assert.match(client.text, /^HTTP\/1\.1 400 /);
  await reached.ended;
  assert.doesNotMatch(reached.text, /\[\[/);
});

test('nothing of a short body that is refused reaches the backend; one that passes keeps its length', async (t) => {
  const { backend, port } = await startGateway(t);
  const post = (body: string) => call(port, '/a', { method: 'POST', headers: json, body });
  assert.deepEqual([(await post(nested(6))).status, (await post('{"a":1')).status], [400, 400]);
  const asked = post('{"a":1}');
  const peer = await backend.next();
  await peer.until('{"a":1}');
  assert.match(peer.text, /^content-length: 7\r$/im);
  peer.write('HTTP/1.1 204 X\r\n\r\n');
  assert.equal((await asked).status, 204);
});

test('a configuration that cannot be is refused with its path', () => {
  const { config } = catalog['json-threat-protection'];
  const pathOf = (configuration: object): unknown =>
    config.safeParse(configuration).error?.issues[0]?.path.join('.');
  assert.equal(pathOf({ maxDepth: 1.5 }), 'maxDepth');
  assert.equal(pathOf({ maxDepth: '5' }), 'maxDepth');
  assert.equal(pathOf({ enforceJson: 'yes' }), 'enforceJson');
  assert.equal(pathOf({ maxdepth: 5 }), '');
});
