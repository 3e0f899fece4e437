import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type CallWish, type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';

const nowS = Date.UTC(2026, 0, 1) / 1_000;
const hmac = (text: string, digest = 'sha256', secret = 's3cret'): string =>
  createHmac(digest, secret).update(text).digest('base64');
const always = { keyId: 'k', secret: 's3cret', headers: ['X-Tag'] };
const asked: CallWish = {
  request: { path: '/a/items', query: 'q=1' },
  headers: { 'X-Tag': 'a', 'x-tag': 'b', Date: 'Tue, 07 Jun 2022 20:51:35 GMT' },
};

const start = (config: object, phase: 'request' | 'response' = 'request', wish: CallWish = asked): KitCall =>
  startPolicy('generate-http-signature', { ...always, ...config }, { place: { phase } }).call(wish);

/** The value of a header of a request that it has signed. */
async function signed(config: object, { header = 'Authorization', wish = asked } = {}): Promise<string> {
  const call = start(config, 'request', wish);
  assert.equal(await call.pass(), undefined);
  return call.request.headers.get(header.toLowerCase()) ?? 'nothing';
}

function refusal(verdict: Awaited<ReturnType<KitCall['pass']>>): readonly (number | string)[] {
  assert.ok(verdict?.kind === 'reject');
  return [verdict.status, verdict.key, verdict.message];
}

test('target, headers and times are signed in their order, and said', async () => {
  const lines = `(request-target): get /a/items?q=1\nx-tag: a, b\n(created): ${nowS}\n(expires): ${nowS + 3}`;
  assert.equal(
    await signed({}),
    `Signature keyId="k",algorithm="hmac-sha256",created=${nowS},expires=${nowS + 3},` +
      `headers="(request-target) x-tag (created) (expires)",signature="${hmac(lines)}"`,
  );
});

test('each part is left out where it is not asked for; without headers the date is signed', async () => {
  const bare = { created: false, expires: false, signMethod: false, signUri: false };
  const rows: readonly (readonly [config: object, lines: string])[] = [
    [bare, 'x-tag: a, b'],
    [{ ...bare, headers: [] }, 'date: Tue, 07 Jun 2022 20:51:35 GMT'],
    [{ ...bare, signMethod: true }, '(request-target): get\nx-tag: a, b'],
    [{ ...bare, signUri: true }, '(request-target): /a/items?q=1\nx-tag: a, b'],
    [{ ...bare, created: true, signHeaders: false }, `(created): ${nowS}`],
    [{ ...bare, expires: true, signHeaders: false, validityDuration: 30 }, `(expires): ${nowS + 30}`],
  ];
  for (const [config, lines] of rows) {
    const value = await signed(config);
    assert.ok(value.endsWith(`signature="${hmac(lines)}"`), `${lines}: ${value}`);
    const names = lines.split('\n').map((line) => line.slice(0, line.indexOf(':')));
    assert.ok(value.includes(`headers="${names.join(' ')}"`), value);
  }
});

test('the scheme says which header holds it, and the algorithm how it is made', async () => {
  const bare = { created: false, expires: false, signMethod: false, signUri: false };
  for (const [algorithm, digest] of [
    ['HMAC_SHA1', 'sha1'],
    ['HMAC_SHA256', 'sha256'],
    ['HMAC_SHA384', 'sha384'],
    ['HMAC_SHA512', 'sha512'],
  ] as const) {
    const parameters = `keyId="k",algorithm="hmac-${digest}",headers="x-tag",signature="${hmac('x-tag: a, b', digest)}"`;
    const config = { ...bare, algorithm };
    assert.equal(await signed({ ...config, scheme: 'AUTHORIZATION' }), `Signature ${parameters}`);
    assert.equal(await signed({ ...config, scheme: 'SIGNATURE' }, { header: 'Signature' }), parameters);
    const custom = { ...config, scheme: 'CUSTOM_HEADER' };
    assert.equal(await signed(custom, { header: 'X-HMAC-Signature' }), parameters);
    assert.equal(
      await signed({ ...custom, targetSignatureHeader: 'X-Own' }, { header: 'X-Own' }),
      parameters,
    );
  }
});

test('a body is signed in front of all lines, with the values of the headers before it where that is asked for', async () => {
  const wish = { ...asked, request: { ...asked.request, method: 'POST' }, body: ['{"a"', ':"é"}'] };
  const bare = { created: false, expires: false, signMethod: false, signUri: false, signPayload: true };
  const ends = async (config: object, text: string): Promise<void> => {
    const value = await signed({ ...bare, ...config }, { wish });
    assert.ok(value.endsWith(`signature="${hmac(text)}"`), text);
  };
  await ends({}, '{"a":"é"}\nx-tag: a, b');
  await ends({ signHeaders: false }, '{"a":"é"}');
  await ends({ signHeaders: false, prependHeadersToBody: true }, 'a.{"a":"é"}');
  await ends({ prependHeadersToBody: true, headersDelimiter: '|' }, 'a|{"a":"é"}\nx-tag: a, b');
  const call = start(bare, 'request', wish);
  await call.pass();
  assert.equal(await call.sent('request'), '{"a":"é"}', 'the body goes on as it came');
});

test('in the response phase headers and body of the answer are signed', async () => {
  const call = start({ signMethod: false, signUri: false, created: false, expires: false }, 'response');
  assert.equal(await call.pass(), undefined);
  assert.equal(await call.answer({ headers: { 'X-Tag': 'answer' }, body: ['he', 'llo'] }), undefined);
  assert.equal(
    call.response?.headers.get('authorization'),
    `Signature keyId="k",algorithm="hmac-sha256",headers="x-tag",signature="${hmac('hello\nx-tag: answer')}"`,
  );
});

test('http-signature lets pass what it has signed', async () => {
  for (const scheme of ['AUTHORIZATION', 'SIGNATURE'] as const) {
    const call = start({ scheme, secret: 'of {#request.method}' }, 'request', {
      ...asked,
      request: { path: '/a/items' },
    });
    assert.equal(await call.pass(), undefined);
    const headers: Record<string, string> = { 'X-Tag': 'a, b' };
    const name = scheme === 'SIGNATURE' ? 'Signature' : 'Authorization';
    headers[name] = call.request.headers.get(name.toLowerCase()) ?? '';
    const verify = (secret: string) =>
      startPolicy('http-signature', { scheme, secret, enforceHeaders: ['(request-target)', 'x-tag'] })
        .call({ request: { path: '/a/items' }, headers })
        .pass();
    assert.equal(verify('of GET'), undefined);
    assert.notEqual(verify('of POST'), undefined);
  }
});

test('what cannot be signed is refused: HTTP_SIGNATURE_IMPOSSIBLE_GENERATION, HTTP_SIGNATURE_ADDITIONAL_HEADERS_NOT_VALID', async () => {
  const impossible = 'HTTP_SIGNATURE_IMPOSSIBLE_GENERATION';
  const missing = 'Unable to generate HTTP Signature: those headers are missing: ';
  const of = async (config: object) => refusal(await start(config).pass());
  assert.deepEqual(await of({ headers: ['X-Tag', 'X-Nope'] }), [400, impossible, `${missing}x-nope`]);
  const dateless = start({ headers: [] }, 'request', { headers: {} });
  assert.deepEqual(refusal(await dateless.pass()), [400, impossible, `${missing}date`]);
  const answered = start({}, 'response');
  await answered.pass();
  assert.deepEqual(refusal(await answered.answer({ body: 'x' })), [500, impossible, `${missing}x-tag`]);
  for (const field of ['keyId', 'secret'])
    for (const value of ["{#request.headers['Nope']}", "{#request.headers['Nope'][0]}"])
      assert.deepEqual(await of({ [field]: value }), [
        500,
        impossible,
        `Unable to generate HTTP Signature: ${field} comes to nothing`,
      ]);
  const notValid = 'HTTP_SIGNATURE_ADDITIONAL_HEADERS_NOT_VALID';
  const front = { signPayload: true, prependHeadersToBody: true, signHeaders: false };
  assert.deepEqual((await of({ ...front, headers: [] })).slice(0, 2), [500, notValid]);
  assert.deepEqual(await of({ ...front, headers: ['X-Nope'] }), [500, notValid, `${missing}x-nope`]);
});

test('a configuration that cannot work is refused', () => {
  const faulty = (config: object): boolean =>
    !catalog['generate-http-signature'].config.safeParse({ ...always, ...config }).success;
  assert.ok(!faulty({}));
  for (const config of [
    { keyId: 'a"b' },
    { keyId: '' },
    { secret: '' },
    { headers: ['a b'] },
    { headers: ['(request-target)'] },
    { targetSignatureHeader: 'a:b' },
    { validityDuration: 0 },
    { algorithm: 'RSA' },
  ])
    assert.ok(faulty(config), JSON.stringify(config));
});
