import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { withVariables } from './scope.ts';
import { compileTemplate } from './template.ts';

/* What stands behind `#`, beside the request and its answer (language.test.ts). */

const failed = Symbol('failed');

function rendered(
  text: string,
  { scope = expressionScope(), places = [] as readonly string[] } = {},
): string | null | symbol | { readonly refused: string } {
  const made = compileTemplate(text, z.string(), { places: new Set(places) });
  if (made.kind === 'refused') return { refused: made.messages.join() };
  const came = made.render(scope);
  if (came.kind === 'failed') return failed;
  return came.kind === 'nothing' ? null : came.value;
}

test('the API, its properties, the environment’s dictionaries, the gateway and the subscription are read as in the reference', () => {
  const rows: readonly (readonly [text: string, value: string | null | symbol])[] = [
    ['{#api.id} {#api.name} {#api.version}', 'shop Shop 1.2'],
    ["{#properties['env']}", 'prod'],
    ['{#properties.env}', 'prod'],
    ['{#properties[env]}', 'prod'],
    ["{#properties['e' + 'nv']}", 'prod'],
    ["{#api.properties['limit']}", '100'],
    ['{#api.properties.size()}', '2'],
    ["{#properties['nope']}", null],
    ["{#properties['__proto__']}", null],
    ["{#properties.containsKey('env')}", 'true'],
    ["{#dictionaries['countries']['fr']}", 'France'],
    ['{#dictionaries.countries.fr}', 'France'],
    ["{#dictionaries['countries']['de']}", null],
    ["{#dictionaries['zz']['k']}", failed],
    ["{#dictionaries['zz']?.['k']}", null],
    ["{#dictionaries['constructor']}", null],
    ["{#endpoints['second']}/a", 'second:/a'],
    ["{#endpoints['nope']}", null],
    ['{#node.id} {#node.version} {#node.tenant}{#node.zone}', 'gw-1 4 west'],
    ["{#node.shardingTags.contains('dmz')}", 'true'],
    ['{#subscription.id} {#subscription.clientId} {#subscription.applicationName}', 'sub-1 c-1 App'],
    ["{#subscription.metadata['tier']}", 'gold'],
    ['{#subscription.metadata.nope}', null],
    ["{#request.pathParams['id'][0]}", '42'],
    ['{#request.pathParams.id}', '42'],
    ["{#request.pathParamsRaw['id']}", '42'],
    ["{#request.pathParams['nope']}", null],
    ['{#request.version} {#request.localAddress}', 'HTTP_1_1 10.0.0.1'],
    ['{#request.ssl.clientHost}:{#request.ssl.clientPort}', '10.0.0.7:50007'],
    ['{#request.ssl.client.cn}', 'orders'],
    ['{#request.ssl.client.o}', 'Acme, Inc'],
    ['{#request.ssl.client.st}', ''],
    ["{#request.ssl.client.attributes['OU'][1]}", 'eu'],
    ['{#request.ssl.client.dn}', 'CN=orders,OU=eu,OU=it,O=Acme, Inc,C=FR'],
    ['{#request.ssl.client.defined} {#request.ssl.server.defined}', 'true true'],
    ['{#request.ssl.server.cn}', 'api.acme.com'],
  ];
  for (const [text, value] of rows) assert.equal(rendered(text), value, text);
});

test('what is not there has its own nothing: no properties, no subscription, no certificate', () => {
  const whole = expressionScope();
  const api = { ...whole.surroundings.api, properties: new Map<string, string>() };
  const scope = {
    ...whole,
    subscription: undefined,
    connection: { ...whole.connection, clientCertificate: undefined },
    surroundings: { ...whole.surroundings, api },
  };
  const rows: readonly (readonly [text: string, value: string | null | symbol])[] = [
    ["{#properties['env']}", failed],
    ["{#properties?.['env']}", null],
    ['{#subscription.id}', '10.0.0.7'],
    ['{#subscription.clientId}', null],
    ["{#subscription.metadata?.['tier']}", null],
    ['{#request.ssl.client.defined}{#request.ssl.client.cn}', 'false'],
  ];
  for (const [text, value] of rows) assert.equal(rendered(text, { scope }), value, text);
});

test('a secret is read by its provider; another provider is refused by name when it is written down, and fails when it is not', () => {
  const rows: readonly (readonly [text: string, value: ReturnType<typeof rendered>])[] = [
    ["Bearer {#secrets.get('/env/TOKEN')}", 'Bearer s3cret'],
    ["{#secrets.get('/env/TOKEN?renewable=true&reloadOnChange=true')}", 's3cret'],
    ["{#secrets.get('/env/' + 'TOKEN')}", 's3cret'],
    ["{#secrets.get('/env/NOPE')}", failed],
    ["{#secrets.get('/env/TOKEN', 'key')}", failed],
    ["{#secrets.get('/vault' + '/secret')}", failed],
  ];
  for (const [text, value] of rows) assert.equal(rendered(text), value, text);
  const refused = (text: string): string => JSON.stringify(rendered(text));
  assert.match(
    refused("{#secrets.get('/vault/secret/x:key')}"),
    /the provider \\"vault\\" are not supported by this version; allowed: \/env\/NAME, \/file\/path/,
  );
  assert.match(refused("{#secrets.get('/files/x')}"), /did you mean \/file\?/);
  assert.match(refused("{#secrets.get('token')}"), /begins with its provider/);
  assert.match(refused("{#secrets.put('/env/A')}"), /#secrets has get/);
  assert.match(refused("{#secrets['x']}"), /#secrets has get/);
});

test('what one place knows is known there alone', () => {
  const variables = new Map<string, unknown>([
    ['error', { key: 'API_KEY_MISSING', statusCode: 401, message: 'Unauthorized' }],
    ['parameters', { limit: 10 }],
    ['group', ['a', 'b']],
    ['groupName', { id: '7' }],
    ['responseTime', 120],
    ['prompt', 'a "b"'],
  ]);
  const scope = withVariables(expressionScope(), variables);
  const rows: readonly (readonly [text: string, places: readonly string[], value: string | null])[] = [
    ['{#error.key} {#error.statusCode}', ['error'], 'API_KEY_MISSING 401'],
    ['{#error.cause}', ['error'], null],
    ["{#parameters['limit']}", ['parameters'], '10'],
    ["{#group[1]}{#groupName['id']}{#request.method}", ['group', 'groupName'], 'b7POST'],
    ['{#responseTime < 200}', ['responseTime'], 'true'],
    ['{#jsonEscape(#prompt)}', ['prompt'], 'a \\"b\\"'],
  ];
  for (const [text, places, value] of rows) {
    assert.equal(rendered(text, { scope, places }), value, text);
    assert.match(JSON.stringify(rendered(text, { scope })), /is known in .* alone/, text);
  }
});
