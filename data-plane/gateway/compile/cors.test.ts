import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CorsDefinition } from '../../../proto/model/api.ts';
import { headersOf } from '../../../test/kit/engine/headers.ts';
import type { ExchangeRequest } from '../../http/exchange.ts';
import { createCors } from './cors.ts';

const definition: CorsDefinition = {
  enabled: true,
  allowOrigin: ['https://acme.com'],
  allowOriginRegex: undefined,
  allowMethods: ['GET', 'PUT'],
  allowHeaders: ['X-One'],
  exposeHeaders: ['X-Shown'],
  allowCredentials: false,
  maxAge: -1,
  runPolicies: undefined,
  errorStatusCode: 400,
  allowPrivateNetwork: false,
} as unknown as CorsDefinition;

const requestOf = (lines: Readonly<Record<string, string>>, method = 'GET'): ExchangeRequest =>
  ({ method, headers: headersOf(lines) }) as unknown as ExchangeRequest;

/** What is left of a backend's answer. */
function answered(
  cors: Partial<CorsDefinition>,
  origin: string | undefined,
  backend: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const list = headersOf(backend);
  createCors({ ...definition, ...cors }).addTo(
    list,
    requestOf(origin === undefined ? {} : { Origin: origin }),
  );
  const lines: Record<string, string> = {};
  list.forEach((name, value) => (lines[name.toLowerCase()] = value));
  return lines;
}

const loose = {
  'Access-Control-Allow-Origin': '*',
  'access-control-allow-credentials': 'true',
  'Access-Control-Max-Age': '600',
  'Access-Control-Whatever': 'x',
  'X-Own': '1',
};

test('what a backend says of CORS goes, whoever asks and whether or not he is allowed', () => {
  const none = { 'x-own': '1', vary: 'Origin' };
  assert.deepEqual(answered({}, undefined, loose), none);
  assert.deepEqual(answered({}, 'https://evil.example', loose), none);
  assert.deepEqual(answered({}, 'https://acme.com', loose), {
    ...none,
    'access-control-allow-origin': 'https://acme.com',
    'access-control-expose-headers': 'X-Shown',
  });
});

test('an answer always says that it varies by origin, and once', () => {
  assert.equal(answered({ allowOrigin: ['*'] }, undefined)['vary'], 'Origin');
  assert.equal(answered({}, 'https://acme.com', { Vary: 'Accept, origin' })['vary'], 'Accept, origin');
  assert.equal(answered({}, undefined, { Vary: '*' })['vary'], '*');
});

const star = { allowOrigin: ['*'], allowMethods: ['*'], allowHeaders: ['*'], exposeHeaders: ['*'] };

test('a star with credentials is what was asked, for methods, headers and what may be read; without them it stays a star', () => {
  const asked = requestOf(
    {
      Origin: 'https://acme.com',
      'Access-Control-Request-Method': 'patch',
      'Access-Control-Request-Headers': 'x-two, content-type',
    },
    'OPTIONS',
  );
  const preflight = (allowCredentials: boolean): Record<string, string> =>
    Object.fromEntries(createCors({ ...definition, ...star, allowCredentials }).answerPreflight(asked) ?? []);
  const open = preflight(false);
  assert.equal(open['Access-Control-Allow-Methods'], '*');
  assert.equal(open['Access-Control-Allow-Headers'], '*');
  const named = preflight(true);
  assert.equal(named['Access-Control-Allow-Origin'], 'https://acme.com');
  assert.equal(named['Access-Control-Allow-Credentials'], 'true');
  assert.equal(named['Access-Control-Allow-Methods'], 'PATCH');
  assert.equal(named['Access-Control-Allow-Headers'], 'x-two, content-type');
  assert.match(named['Vary'] ?? '', /^Origin, Access-Control-Request-Method, Access-Control-Request-Headers/);
  const shown = answered({ ...star, allowCredentials: true }, 'https://acme.com', loose);
  assert.equal(shown['access-control-expose-headers'], 'x-own');
  assert.equal(answered(star, 'https://acme.com', loose)['access-control-expose-headers'], '*');
});
