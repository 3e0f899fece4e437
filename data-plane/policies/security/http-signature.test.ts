import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const headers = { Host: 'h', Date: 'Tue, 07 Jun 2022 20:51:35 GMT', 'X-Tag': 'a' };
const nowS = Date.UTC(2026, 0, 1) / 1_000;

const sign = (lines: readonly string[], digest = 'sha256', secret = 's3cret'): string =>
  createHmac(digest, secret).update(lines.join('\n')).digest('base64');

/** Whether a request with such a signature passes. */
function passes(config: object, signature: string, header = 'Authorization'): boolean {
  const step = startPolicy('http-signature', { secret: 's3cret', ...config });
  const verdict = step
    .call({ request: { path: '/a/items' }, headers: { ...headers, [header]: signature } })
    .pass();
  if (verdict === undefined) return true;
  assert.ok('kind' in verdict && verdict.kind === 'reject');
  assert.deepEqual([verdict.status, verdict.key], [401, 'HTTP_SIGNATURE_INVALID_SIGNATURE']);
  return false;
}

const date = `date: ${headers.Date}`;
const target = '(request-target): get /a/items';
const signed = (more: string, lines = [target, date]): string =>
  `keyId="k",headers="(request-target) date",signature="${sign(lines)}"${more}`;

test('a request whose headers are signed with the secret passes, in the header of the scheme', () => {
  assert.ok(passes({}, `Signature ${signed(',algorithm="hmac-sha256"')}`));
  assert.ok(passes({}, `sIgnature ${signed('')}`));
  assert.ok(!passes({}, signed('')), 'the scheme is missing');
  assert.ok(passes({ scheme: 'SIGNATURE' }, signed(''), 'Signature'));
  assert.ok(!passes({ scheme: 'SIGNATURE' }, `Signature ${signed('')}`));
  assert.ok(
    passes({}, `Signature keyId="k",signature="${sign([date])}"`),
    'the date is signed where nothing is said',
  );
  assert.ok(
    passes({}, `Signature keyId="k",created=${nowS},signature="${sign([`(created): ${nowS}`])}"`),
    'or when it was created',
  );
});

test('what was changed, is missing, or is signed with another secret is refused', () => {
  assert.ok(!passes({}, `Signature ${signed('', [target, 'date: Tue, 07 Jun 2022 20:51:36 GMT'])}`));
  assert.ok(!passes({}, `Signature ${signed('', ['(request-target): post /a/items', date])}`));
  assert.ok(!passes({ secret: 'another' }, `Signature ${signed('')}`));
  assert.ok(!passes({}, `Signature keyId="k",headers="date nope",signature="${sign([date, 'nope: '])}"`));
  for (const odd of [
    '',
    'Signature',
    'Signature keyId="k"',
    `Signature signature="${sign([date])}"`,
    `Signature keyId="",signature="${sign([date])}"`,
    'Signature keyId="k",signature="***"',
    `Signature keyId="k",keyId="k",signature="${sign([date])}"`,
    `Signature keyId="k",headers="",signature="${sign([])}"`,
    `Signature keyId="k" signature="${sign([date])}"`,
    `Signature keyId="k",x="${'x'.repeat(8_192)}",signature="${sign([date])}"`,
  ])
    assert.ok(!passes({}, odd), odd);
});

test('the secret may depend on the key that is named; one that comes to nothing refuses', () => {
  const by = (keyId: string): string =>
    `Signature keyId="${keyId}",signature="${sign([date], 'sha256', 'secret of acme')}"`;
  const secret = "{#keyId == 'nobody' ? null : 'secret of ' + #keyId}";
  assert.ok(passes({ secret }, by('acme')));
  assert.ok(!passes({ secret }, by('other')));
  assert.ok(!passes({ secret }, by('nobody')));
});

test('algorithms are those that are taken; hs2019 stands for any of them', () => {
  const by = (digest: string, algorithm: string): string =>
    `Signature keyId="k",algorithm="${algorithm}",signature="${sign([date], digest)}"`;
  for (const digest of ['sha1', 'sha256', 'sha384', 'sha512']) {
    assert.ok(passes({}, by(digest, `hmac-${digest}`)), digest);
    assert.ok(passes({}, by(digest, 'hs2019')), digest);
  }
  const algorithms = ['HMAC_SHA512'];
  assert.ok(passes({ algorithms }, by('sha512', 'hmac-sha512')));
  assert.ok(!passes({ algorithms }, by('sha256', 'hmac-sha256')));
  assert.ok(!passes({ algorithms }, by('sha256', 'hs2019')));
  assert.ok(!passes({}, by('sha256', 'hmac-md5')));
});

test('enforceHeaders have to be signed, whatever their case', () => {
  assert.ok(passes({ enforceHeaders: ['Date', '(request-target)'] }, `Signature ${signed('')}`));
  assert.ok(!passes({ enforceHeaders: ['X-Tag'] }, `Signature ${signed('')}`));
  assert.ok(!passes({ enforceHeaders: ['(created)'] }, `Signature ${signed('')}`));
});

test('created may lie clockSkew ahead, expires has to be to come', () => {
  const at = (config: object, times: string): boolean => passes(config, `Signature ${signed(`,${times}`)}`);
  assert.ok(at({}, `created=${nowS + 30}`));
  assert.ok(!at({}, `created=${nowS + 31}`));
  assert.ok(at({ clockSkew: 31 }, `created=${nowS + 31}`));
  assert.ok(at({}, `expires=${nowS + 1}`));
  assert.ok(!at({}, `expires=${nowS}`));
  assert.ok(!at({}, 'created=soon'));
  assert.ok(at({ clockSkew: 0 }, `created=${nowS + 900},expires=1`));
});

test('decodeSignature reads it URL-encoded, and without strictMode parameters need no quotes', () => {
  const encoded = encodeURIComponent(sign([date]));
  assert.ok(passes({ decodeSignature: true }, `Signature keyId="k",signature="${encoded}"`));
  assert.ok(!passes({ decodeSignature: true }, 'Signature keyId="k",signature="%zz"'));
  const bare = `Signature keyId=k,signature="${sign([date])}"`;
  assert.ok(!passes({}, bare));
  assert.ok(passes({ strictMode: false }, bare));
});

test('through a gateway, what was seen of a signed request makes no other one: other order, other time, other algorithm, two headers', async (t) => {
  const upstream = await startUpstream(t);
  const configuration = {
    secret: 's3cret',
    algorithms: ['HMAC_SHA256'],
    enforceHeaders: ['(request-target)', '(created)', '(expires)', 'host'],
  };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [flow('/', { request: [['http-signature', configuration]] })],
      }),
    },
  });
  const at = Math.floor(Date.now() / 1_000);
  const names = ['(request-target)', '(created)', '(expires)', 'host'];
  const lineOf = (created: number, expires: number): Readonly<Record<string, string>> => ({
    '(request-target)': 'get /a/items',
    '(created)': `${created}`,
    '(expires)': `${expires}`,
    host: 'h',
  });
  const of = (
    { created = at, expires = at + 60, order = names, algorithm = 'hmac-sha256', digest = 'sha256' } = {},
    said: Readonly<Record<string, string | number>> = {},
  ): string => {
    const lines = order.map((name) => `${name}: ${lineOf(created, expires)[name] ?? ''}`);
    const parameters = { created, expires, algorithm, headers: order.join(' '), ...said };
    const rest = Object.entries(parameters).map(([name, value]) =>
      typeof value === 'number' ? `${name}=${value}` : `${name}="${value}"`,
    );
    return `Signature keyId="k",${rest.join()},signature="${sign(lines, digest)}"`;
  };
  const status = async (authorization: string | readonly string[], more: object = {}): Promise<number> =>
    (await gateway.call('/a/items', { headers: { Host: 'h', authorization, ...more } })).status;
  assert.equal(await status(of()), 200);
  assert.equal(await status(of({ order: names.toReversed() })), 200, 'signed in another order');
  const hostile: Readonly<Record<string, string>> = {
    'another order than was signed': of({}, { headers: names.toReversed().join(' ') }),
    'a later end': of({}, { expires: at + 6_000 }),
    'an end that is over': of({ expires: at - 1 }),
    'a beginning that was moved': of({ created: at + 3_600 }, { created: at }),
    'a beginning beyond the skew': of({ created: at + 3_600 }),
    'a line that was left out': of({}, { headers: names.slice(0, 3).join(' ') }),
    'a line twice': of({}, { headers: [...names, 'host'].join(' ') }),
    'another algorithm said': of({}, { algorithm: 'hmac-sha512' }),
    'an algorithm that is not taken': of({ algorithm: 'hmac-sha1', digest: 'sha1' }),
    'hs2019 of a digest that is not taken': of({ algorithm: 'hs2019', digest: 'sha1' }),
    'an algorithm of public keys': of({ algorithm: 'rsa-sha256' }),
    'no algorithm at all': of({ algorithm: 'none' }),
    'a time that is no number': of({}, { expires: 'never' }),
  };
  for (const [what, authorization] of Object.entries(hostile))
    assert.equal(await status(authorization), 401, what);
  assert.equal(await status([of(), of()]), 400, 'two headers are refused by the engine');
  assert.equal(await status(of(), { Host: 'other' }), 401, 'another host');
  assert.equal((await gateway.call('/a/other', { headers: { Host: 'h', authorization: of() } })).status, 401);
  assert.equal(
    (await gateway.call('/a/items', { method: 'POST', headers: { Host: 'h', authorization: of() } })).status,
    401,
  );
  assert.equal(upstream.requests.length, 2);
});

test('a secret is required, and names of headers are names', () => {
  const { config } = catalog['http-signature'];
  assert.deepEqual(config.safeParse({}).error?.issues[0]?.path, ['secret']);
  assert.deepEqual(config.safeParse({ secret: '' }).error?.issues[0]?.path, ['secret']);
  assert.deepEqual(config.safeParse({ secret: 'a', enforceHeaders: ['a b'] }).error?.issues[0]?.path, [
    'enforceHeaders',
    0,
  ]);
});
