import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';

import { piiCategories } from '../../../../proto/policies/ai/pii-filtering.ts';
import { catalog } from '../../../../proto/policies/catalog.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../../test/kit/gateway/gateway.ts';
import { startPolicy } from '../../../../test/kit/gateway/policies.ts';
import { startModels } from '../../../../test/kit/servers/models.ts';
import { startUpstream } from '../../../../test/kit/servers/upstream.ts';

const id = 'pii-filtering';
const json = { 'Content-Type': 'application/json' };
const card = '4111111111111111';

/** What goes on of a request's body, or the key of the refusal. */
async function sent(configuration: object, body: string, headers: Record<string, string> = json) {
  const call = startPolicy(id, configuration).call({ body, headers });
  const verdict = await call.pass();
  if (verdict !== undefined && 'key' in verdict) return verdict.key;
  return call.request.content === undefined ? body : Buffer.from(call.request.content).toString();
}

/** What becomes of a text in which one category is looked for. */
const text = (category: string, said: string, rest: object = {}) =>
  sent({ categories: [category], replacement: '#', ...rest }, said, { 'Content-Type': 'text/plain' });

test('categories: each finds its own by form and check digit, and leaves what only looks like it', async () => {
  const rows: readonly (readonly [category: string, said: string, left: string])[] = [
    ['EMAIL', 'ann.lee+x@mail.example.com, bob@x, jörg@münchen.de.', '#, bob@x, #.'],
    ['PHONE', 'call +49 (30) 901820 or 0049-30-901820, not 030 901820', 'call # or #, not 030 901820'],
    ['PHONE', '+1 212 555 0100; +12 345', '#; +12 345'],
    ['NETWORK_IDENTIFIER', '10.1.2.3 10.1.2.300 1.2.3.4.5', '# 10.1.2.300 1.2.3.4.5'],
    ['NETWORK_IDENTIFIER', 'at 12:30:45 from 2001:db8::1, ::ffff:10.0.0.1', 'at 12:30:45 from #, #'],
    ['NETWORK_IDENTIFIER', '00:1A:2b:3c:4d:5e 00-1A-2B-3C-4D-5E 00:1A:2b:3c:4d', '# # 00:1A:2b:3c:4d'],
    ['DEVICE_IDENTIFIER', 'IMEI 49-015420-323751-8', 'IMEI #'],
    ['FINANCIAL_ACCOUNT', `${card} 4111 1111 1111 1111 4111-1111-1111-1112`, '# # 4111-1111-1111-1112'],
    ['FINANCIAL_ACCOUNT', '12 4111 1111 1111 1111 123', '12 # 123'],
    ['FINANCIAL_ACCOUNT', '411111111111111111111111', '411111111111111111111111'],
    ['FINANCIAL_ACCOUNT', '1700000000000 is a time', '1700000000000 is a time'],
    ['FINANCIAL_ACCOUNT', 'DE89 3704 0044 0532 0130 00 BIC', '# BIC'],
    [
      'FINANCIAL_ACCOUNT',
      'AB12 gb29nwbk60161331926819, DE89370400440532013001',
      'AB12 #, DE89370400440532013001',
    ],
    ['GOVERNMENT_ID', 'DE 86 095 742 719', 'DE #'],
    ['GOVERNMENT_ID', 'FR 2 69 05 49 588 157 80', 'FR #'],
    ['GOVERNMENT_ID', 'ES 12345678Z, x2482300w, 12345678A', 'ES #, #, 12345678A'],
    ['GOVERNMENT_ID', 'IT RSSMRA85T10A562S', 'IT #'],
    ['GOVERNMENT_ID', 'NL 111222333', 'NL #'],
    ['GOVERNMENT_ID', 'BE 85.07.30-033.28', 'BE #'],
    ['GOVERNMENT_ID', 'PL 44051401359', 'PL #'],
    ['GOVERNMENT_ID', 'BR 111.444.777-35', 'BR #'],
    ['GOVERNMENT_ID', 'US 219-09-9999, 666-12-3456, 219-00-9999', 'US #, 666-12-3456, 219-00-9999'],
    ['GOVERNMENT_ID', 'GB AB 12 34 56 C, BG 12 34 56 C', 'GB #, BG 12 34 56 C'],
    ['VEHICLE_ID', '1m8gdm9axkp042788 1M8GDM9AXKP042789', '# 1M8GDM9AXKP042789'],
    ['CREDENTIAL', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ x', '# x'],
    ['CREDENTIAL', `ghp_${'a'.repeat(36)} AKIAIOSFODNN7EXAMPLE sk-short`, '# # sk-short'],
    ['CREDENTIAL', 'a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b', 'a # b'],
    [
      'CREDENTIAL',
      '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----',
      '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----',
    ],
  ];
  for (const [category, said, left] of rows) assert.equal(await text(category, said), left, said);
  assert.equal(await text('EMAIL', card), card, 'no other category is looked for');
});

test('threshold: a find that is less certain does not count', async () => {
  for (const [threshold, left] of [
    [0.6, '#'],
    [0.61, '111222333'],
  ] as const)
    assert.equal(await text('GOVERNMENT_ID', '111222333', { threshold }), left);
  assert.equal(await text('FINANCIAL_ACCOUNT', card, { threshold: 0.9 }), '#');
  assert.equal(await text('FINANCIAL_ACCOUNT', card, { threshold: 1 }), card);
});

test('JSON: texts, names and numbers are masked where they stand, with their escapes, and all else stays as it was written', async () => {
  const categories = ['EMAIL', 'FINANCIAL_ACCOUNT'];
  const rows: readonly (readonly [body: string, left: string])[] = [
    ['{ "a" : "ann\\u0040example.com" , "n":1.50 }', '{ "a" : "[REDACTED]" , "n":1.50 }'],
    ['{"ann@example.com":[1e3,-0]}', '{"[REDACTED]":[1e3,-0]}'],
    [`{"card":${card},"big":12345678901234567890}`, '{"card":"[REDACTED]","big":12345678901234567890}'],
    ['{"a":"line\\nann@example.com \\"q\\""}', '{"a":"line\\n[REDACTED] \\"q\\""}'],
    ['["\\\\","a@b.co"]', '["\\\\","[REDACTED]"]'],
    ['"a@b.co"', '"[REDACTED]"'],
    ['{"arguments":"{\\"to\\":\\"a@b.co\\"}"}', '{"arguments":"{\\"to\\":\\"[REDACTED]\\"}"}'],
    ['{broken: a@b.co}', '{broken: [REDACTED]}'],
  ];
  for (const [body, left] of rows) assert.equal(await sent({ categories }, body), left, body);
});

test('forms are masked decoded, other types of media pass unread, text in another charset becomes UTF-8', async () => {
  const categories = ['EMAIL', 'FINANCIAL_ACCOUNT'];
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  assert.equal(
    await sent({ categories, replacement: '*' }, 'to=a%40b.co&card=4111+1111+1111+1111&x=%zz+1', form),
    'to=*&card=*&x=%zz+1',
  );
  for (const type of ['image/png', 'application/octet-stream', 'application/pdf'])
    assert.equal(await sent({ categories }, card, { 'Content-Type': type }), card, type);
  for (const type of ['application/problem+json', 'text/html; charset=utf-8', 'application/soap+xml'])
    assert.equal(await sent({ categories }, `x ${card}`, { 'Content-Type': type }), 'x [REDACTED]', type);
  assert.equal(await sent({ categories }, card, {}), '[REDACTED]', 'of no type');
  assert.equal(await sent({ categories }, card), '"[REDACTED]"', 'a number that says it is JSON');
  const latin1 = startPolicy(id, { categories }).call({
    body: `gr\u00fc\u00dfe ${card}`,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
  await latin1.pass();
  assert.equal(Buffer.from(latin1.request.content ?? []).toString(), 'gr\u00fc\u00dfe [REDACTED]');
});

test('patterns of your own always count, and a record says their names', async () => {
  const call = startPolicy(id, {
    patterns: [{ name: 'customer', regex: 'C-[0-9]{4}' }],
    threshold: 1,
  }).call({ body: '{"a":"C-1234 C-12"}', headers: json });
  await call.pass();
  assert.equal(Buffer.from(call.request.content ?? []).toString(), '{"a":"[REDACTED] C-12"}');
  assert.deepEqual(Object.fromEntries(call.customMetrics ?? []), {
    long_pii_miscellaneous: '1',
    long_pii_total: '1',
  });
});

test('finds that overlap are masked once; metrics count per category, and the warning names categories alone', async () => {
  const call = startPolicy(id, {
    categories: ['EMAIL', 'FINANCIAL_ACCOUNT'],
    patterns: [{ name: 'local', regex: 'ann@' }],
  }).call({ body: `ann@example.com ${card} ${card}`, headers: { 'Content-Type': 'text/plain' } });
  await call.pass();
  assert.equal(Buffer.from(call.request.content ?? []).toString(), '[REDACTED] [REDACTED] [REDACTED]');
  assert.deepEqual(Object.fromEntries(call.customMetrics ?? []), {
    long_pii_email: '1',
    long_pii_financialAccount: '2',
    long_pii_total: '3',
  });
  assert.deepEqual(call.warnings, ['PII_DETECTED']);
});

test('action BLOCK refuses what MASK would mask: 400, of an answer 500', async () => {
  for (const [phase, status] of [
    ['request', 400],
    ['response', 500],
  ] as const) {
    const { call } = startPolicy(id, { categories: ['EMAIL'], action: 'BLOCK' }, { place: { phase } });
    const asked = call({ body: 'a@b.co', headers: { 'Content-Type': 'text/plain' } });
    const verdict =
      phase === 'request'
        ? await asked.pass()
        : await asked.answer({ body: 'a@b.co', headers: { 'Content-Type': 'text/plain' } });
    assert.ok(verdict?.kind === 'reject');
    assert.deepEqual([verdict.key, verdict.status], ['PII_FILTERING_DETECTED', status]);
  }
});

test('what cannot be looked through does not go on', async () => {
  const categories = ['EMAIL'];
  const unreadable = 'PII_FILTERING_UNREADABLE';
  const packed = gzipSync('a@b.co').toString('latin1');
  assert.equal(await sent({ categories }, packed, { ...json, 'Content-Encoding': 'gzip' }), unreadable);
  assert.equal(await sent({ categories }, 'x', { 'Content-Type': 'text/plain; charset=x-own' }), unreadable);
  const patterns = [{ name: 'p', regex: '[a-z]{1,50}[0-9]' }];
  assert.equal(await sent({ patterns }, 'x'.repeat(1_000_000)), unreadable);
  assert.equal(await sent({ categories }, 'x'.repeat(1_000_000)), 'x'.repeat(1_000_000));
  assert.equal(await sent({ categories }, 'x'.repeat(1_000_001)), unreadable);
});

test('time grows with the text, whatever it repeats', async () => {
  const timeOf = async (piece: string, chars: number): Promise<number> => {
    const said = piece.repeat(chars / piece.length);
    const before = process.cpuUsage();
    await sent({ categories: piiCategories, threshold: 0 }, said, { 'Content-Type': 'text/plain' });
    return process.cpuUsage(before).user;
  };
  const pieces = [
    '1',
    '1 ',
    '12345678-',
    'a',
    'a.',
    '@',
    'a@a.',
    '+1 ',
    '00',
    ' eyJaaaaaaaaa.',
    '1.1.',
    'aa:',
    'DE89 ',
    'AB1234',
  ];
  for (const piece of [...pieces, '-----BEGIN PRIVATE KEY-----', 'sk-']) {
    const short = await timeOf(piece, 2_000);
    const long = await timeOf(piece, 64_000);
    // Thirty-two times the text: what is quadratic in it takes a thousand times as long.
    assert.ok(long < Math.max(short, 2_000) * 200, `${piece}: ${short} us, then ${long} us`);
  }
});

test('skipResponsePayloadFiltering says whether a stream may be asked for, and leaves answers alone', async () => {
  const categories = ['EMAIL'];
  const streaming = '{"model":"m", "stream" : TRUE}';
  const { call } = startPolicy(id, { categories });
  const verdict = await call({ body: streaming, headers: json }).pass();
  assert.ok(verdict?.kind === 'reject');
  assert.deepEqual(
    [verdict.key, verdict.status, verdict.content?.type],
    ['PII_FILTERING_STREAMING', 400, 'application/json'],
  );
  assert.deepEqual(JSON.parse(verdict.content?.body ?? ''), {
    error: { message: 'Streaming is not supported.', type: 'invalid_request_error', param: 'stream' },
  });
  assert.equal(await sent({ categories, skipResponsePayloadFiltering: true }, streaming), streaming);
  const skipping = startPolicy(id, { categories, skipResponsePayloadFiltering: true }).call();
  await skipping.answer({ body: '"a@b.co"', headers: json });
  assert.equal(await skipping.sent('response'), '"a@b.co"');
});

test('a configuration that looks for nothing, or for what only a model finds, is refused by its field', () => {
  const faults = (config: object): readonly string[] =>
    (catalog[id].config.safeParse(config).error?.issues ?? []).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
  const categories = ['EMAIL'];
  assert.deepEqual(faults({ categories, resourceName: '', customMapping: {} }), []);
  assert.match(faults({}).join(), /^categories needs at least one/);
  assert.match(
    faults({ categories: ['PERSON'] }).join(),
    /^categories.0 PERSON has no form .* allowed: EMAIL/,
  );
  assert.match(faults({ categories: ['SHOES'] }).join(), /^categories.0 is not one of them/);
  assert.match(faults({ categories, resourceName: 'm' }).join(), /^resourceName is not supported/);
  assert.match(
    faults({ categories, customMapping: { NAME: 'EMAIL' } }).join(),
    /^customMapping is not supported/,
  );
  assert.match(faults({ categories, threshold: 1.1 }).join(), /^threshold/);
  assert.match(faults({ patterns: [{ name: 'p', regex: '(?<=x)y' }] }).join(), /^patterns.0.regex/);
  const config = catalog[id].config.parse({ categories, skipResponsePayloadFiltering: true });
  assert.deepEqual(catalog[id].faultsIn?.(config, 'request'), []);
  assert.equal(catalog[id].faultsIn?.(config, 'response')[0]?.path, 'skipResponsePayloadFiltering');
});

test('through a gateway: the backend gets masked requests and the client masked answers, packed ones too; a stream that nobody asked for is refused at its head', async (t) => {
  const upstream = await startUpstream(t);
  const models = await startModels(t);
  const filter = [[id, { categories: ['EMAIL'] }]] as const;
  const gateway = await startLocalGateway(t, {
    // What is loaded with the first call holds a busy machine up.
    config: { listen: { eventLoopLagMsMax: 0 } },
    apis: {
      both: apiDefinition('both', upstream.url, { flows: [flow('/', { request: filter })] }),
      answers: apiDefinition('answers', upstream.url, { flows: [flow('/', { response: filter })] }),
      streams: apiDefinition('streams', `${models.url}/gemini/v1beta/models`, {
        flows: [flow('/', { request: filter })],
      }),
    },
  });
  const post = {
    method: 'POST',
    headers: { ...json, 'X-Mail': 'kept@example.com' },
    body: '{"to":"a@b.co"}',
  };
  const both = await gateway.call('/both', post);
  const seen = JSON.parse(both.text) as { body: string; headers: Record<string, string> };
  assert.equal(seen.body, '{"to":"[REDACTED]"}');
  assert.equal(seen.headers['x-mail'], '[REDACTED]', 'in the answer, of which it is a part');
  const answers = await gateway.call('/answers', post);
  assert.equal((JSON.parse(answers.text) as { body: string }).body, '{"to":"[REDACTED]"}');
  const stream = await gateway.call('/streams/x:streamGenerateContent?alt=sse', {
    ...post,
    body: '{"contents":[]}',
  });
  assert.equal(stream.status, 500);
  assert.match(stream.text, /Streaming is not supported/);
});
