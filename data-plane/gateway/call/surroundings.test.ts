import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

/** What expressions read of what surrounds a request, through a gateway and a backend. */

const set = (headers: Readonly<Record<string, string>>): readonly [string, object] => [
  'transform-headers',
  { addHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })) },
];
const echoed = (text: string): Record<string, string | undefined> =>
  (JSON.parse(text) as { readonly headers: Record<string, string | undefined> }).headers;

test('properties, the API, attributes and the gateway are what the definition and the request say', async (t) => {
  const upstream = await startUpstream(t);
  const attributes = [
    'api',
    'api.name',
    'plan',
    'application',
    'user-id',
    'context-path',
    'resolved-path',
    'organization',
    'environment',
    'request.method',
    'request.original-url',
  ];
  const headers = Object.fromEntries(
    attributes.map((name, index) => [`X-At-${index}`, `{#context.attributes['${name}']}`]),
  );
  const gateway = await startLocalGateway(t, {
    apis: {
      shop: apiDefinition('shop', upstream.url, {
        name: 'Shop',
        apiVersion: '3.1',
        properties: [
          { key: 'env', value: 'prod' },
          { key: 'url', value: 'https://{{env}}.example.com/{{nope}}' },
          { key: 'loop', value: 'a{{loop}}' },
        ],
        flows: [
          flow('/', { request: [set({ 'X-First': "{#request.pathParams['id'][0]}", ...headers })] }),
          flow('/orders/:id', {
            request: [
              set({
                'X-Api': '{#api.id} {#api.name} {#api.version}',
                'X-Url': "{#properties['url']}",
                'X-Loop': "{#api.properties['loop'].length() > 1}",
                'X-Node': '{#node.version}',
                'X-Item': '{#request.pathParams.item}',
              }),
            ],
          }),
          flow('/orders/:order/items/:item', { request: [], methods: ['GET'] }),
          flow('/orders/:never', { request: [], enabled: false }),
        ],
      }),
    },
  });
  const seen = echoed((await gateway.call('/shop/orders/4%202/items/i;x?a=b')).text);
  assert.equal(seen['x-first'], '4%202', 'before the first policy, and as it was sent');
  assert.equal(seen['x-item'], 'i;x');
  assert.equal(seen['x-api'], 'shop Shop 3.1');
  assert.equal(seen['x-url'], 'https://prod.example.com/{{nope}}');
  assert.equal(seen['x-loop'], 'true');
  assert.equal(seen['x-node'], '0');
  assert.deepEqual(
    attributes.map((_, index) => seen[`x-at-${index}`]),
    [
      'shop',
      'Shop',
      'open',
      '1',
      '127.0.0.1',
      '/shop/',
      '/orders/:order/items/:item',
      'DEFAULT',
      'DEFAULT',
      'GET',
      `http://127.0.0.1:${gateway.port}/shop/orders/4%202/items/i;x?a=b`,
    ],
  );
  const posted = echoed((await gateway.call('/shop/orders/7/items/8', { method: 'POST', body: '' })).text);
  assert.deepEqual([posted['x-first'], posted['x-item']], ['7', undefined], 'that flow is for GET');
});

test('dictionaries stand in isthmus.yaml, and what is saved there holds for the next request', async (t) => {
  const upstream = await startUpstream(t);
  const say = (word: string): string => `dictionaries:\n  words:\n    hello: ${word}\n    number: 7\n`;
  const gateway = await startLocalGateway(t, {
    apis: {
      words: apiDefinition('words', upstream.url, {
        flows: [
          flow('/', {
            request: [
              set({
                'X-Word':
                  "{#dictionaries['words']?.['hello'] ?: 'none'} {#dictionaries['words']?.['number']}",
              }),
            ],
          }),
        ],
      }),
      'isthmus.yaml': say('salut'),
    },
  });
  const word = async (): Promise<string | undefined> => echoed((await gateway.call('/words')).text)['x-word'];
  assert.equal(await word(), 'salut 7');
  gateway.write('isthmus.yaml', say('hallo'));
  await eventually(async () => (await word()) === 'hallo 7');
  gateway.write('isthmus.yaml', 'subscriptions: []\n');
  await eventually(async () => (await word()) === 'none');
});
