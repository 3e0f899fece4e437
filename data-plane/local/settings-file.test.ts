import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { ready, status, withinASecond } from '../../test/kit/local-readiness.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

test('subscriptions stand beside the definitions, and follow their file', async (t) => {
  const { url } = await startUpstream(t);
  const subscription = { id: 's', api: 'a', plan: 'keys', application: 'app', apiKeys: ['first-key'] };
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', url, { plans: { keys: { security: { type: 'API_KEY' } } } }) },
    subscriptions: [subscription],
  });
  const key = (value: string): Record<string, string> => ({ 'x-gravitee-api-key': value });
  assert.equal(await status(gateway, '/a', key('first-key')), 200);
  gateway.write('isthmus', { subscriptions: [{ ...subscription, apiKeys: ['second-key'] }] });
  await eventually(async () => (await status(gateway, '/a', key('second-key'))) === 200, withinASecond);
  assert.equal(await status(gateway, '/a', key('first-key')), 401);
  gateway.write('isthmus', { subscriptions: [{ ...subscription, planz: 'keys' }] });
  const problem = await eventually(async () => (await ready(gateway)).problems[0], withinASecond);
  assert.deepEqual(problem.file, 'isthmus.json');
  assert.match(problem.reason, /planz/);
  assert.equal(await status(gateway, '/a', key('second-key')), 200);
  gateway.write('isthmus', {
    subscriptions: [{ ...subscription, status: 'CLOSED', apiKeys: ['second-key'] }],
  });
  await eventually(async () => (await status(gateway, '/a', key('second-key'))) === 401, withinASecond);
});

test('each entry of isthmus.yaml is judged by itself: at the start what is right serves, at a change what is wrong stays what it was', async (t) => {
  const { url } = await startUpstream(t);
  const group = (status: string): object => ({
    id: 'teapot',
    phase: 'REQUEST',
    steps: [{ policy: 'mock', configuration: { status } }],
  });
  const one = { id: 'one', api: 'a', plan: 'keys', application: 'shop', apiKeys: ['first-key'] };
  const two = { id: 'two', api: 'a', plan: 'keys', application: 'kiosk', apiKeys: ['second-key'] };
  const { application: _application, ...slip } = { ...two, aplication: 'kiosk' };
  const word = { value: "{#dictionaries['words']['word']}", name: 'X-Word' };
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, {
        plans: { keys: { security: { type: 'API_KEY' } } },
        flows: [flow('/', { request: [['transform-headers', { addHeaders: [word] }]] })],
      }),
      grouped: apiDefinition('grouped', url, {
        flows: [
          {
            request: [
              { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'teapot' } },
            ],
          },
        ],
      }),
      isthmus: {
        dictionaries: { words: { word: 'ahoy' }, torn: { word: { no: 'text' } } },
        sharedPolicyGroups: [group('418'), { phase: 'REQUEST' }],
        subscriptions: [one, slip, { ...two, id: 'pem', apiKeys: [], clientCertificate: 'no certificate' }],
      },
    },
  });
  const key = (value: string): Record<string, string> => ({ 'x-gravitee-api-key': value });
  const statuses = () =>
    Promise.all(['first-key', 'second-key'].map((value) => status(gateway, '/a', key(value))));
  const reasons = async (): Promise<readonly string[]> =>
    (await ready(gateway)).problems.map(({ file, reason }) => `${file} ${reason}`);
  assert.deepEqual(await statuses(), [200, 401]);
  assert.match((await gateway.call('/a', { headers: key('first-key') })).text, /"x-word":"ahoy"/);
  assert.equal(await status(gateway, '/grouped'), 418);
  const wrong = await reasons();
  const places = [
    /^isthmus\.json dictionaries\.torn\.word /,
    /^isthmus\.json sharedPolicyGroups\[1\]\.id is required/,
    /^isthmus\.json subscriptions\[1\]\.application is required/,
    /^isthmus\.json subscriptions\[1\]\.aplication is unknown/,
    /^isthmus\.json subscriptions\[2\] clientCertificate of subscription "pem" holds something that is no certificate/,
  ];
  assert.equal(wrong.length, places.length, wrong.join('\n'));
  for (const [index, place] of places.entries()) assert.match(wrong[index] ?? '', place);
  assert.ok(gateway.logged.some((line) => /aplication is unknown/.test(line)));
  assert.ok(!gateway.logged.some((line) => /first-key|second-key/.test(line)));
  assert.deepEqual((await ready(gateway)).degraded, ['definitions']);
  const health = (await (await fetch(`${gateway.nodeApi}/health`)).json()) as { readonly degraded: unknown };
  assert.deepEqual(health.degraded, ['definitions']);

  gateway.write('isthmus', {
    dictionaries: { words: { word: 'ahoy' } },
    sharedPolicyGroups: [group('418')],
    subscriptions: [one, two],
  });
  await eventually(async () => (await reasons()).length === 0, withinASecond);
  assert.deepEqual(await statuses(), [200, 200]);
  assert.deepEqual((await ready(gateway)).degraded, []);

  // The first is closed in the same change that spoils the second, the dictionary and the group.
  gateway.write('isthmus', {
    dictionaries: { words: { word: ['torn'] } },
    sharedPolicyGroups: [{ ...group('500'), id: 7 }],
    subscriptions: [{ ...one, status: 'CLOSED' }, slip],
  });
  await eventually(async () => (await statuses())[0] === 401, withinASecond);
  assert.deepEqual(await statuses(), [401, 200]);
  assert.match((await gateway.call('/a', { headers: key('second-key') })).text, /"x-word":"ahoy"/);
  assert.equal(await status(gateway, '/grouped'), 418);
  // One that does not say which it is takes none away; one that is left out is gone.
  gateway.write('isthmus', { subscriptions: [{ ...slip, id: '' }], dictionaries: 'no' });
  await eventually(
    async () => (await reasons()).some((each) => /dictionaries must/.test(each)),
    withinASecond,
  );
  assert.deepEqual(await statuses(), [401, 200]);
  gateway.write('isthmus', { dictionaries: { words: { word: 'ahoy' } }, subscriptions: [one] });
  await eventually(async () => (await statuses())[0] === 200, withinASecond);
  assert.deepEqual(await statuses(), [200, 401]);
});

test('of a file with many wrong entries as many are named as somebody reads, and how many are left', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: { isthmus: { subscriptions: Array.from({ length: 50 }, () => 'no') } },
  });
  const { problems } = await ready(gateway);
  assert.equal(problems.length, 21);
  assert.equal(problems[20]?.reason, 'and 30 more; isthmus check names all');
});

test('expressions read of a subscription of files what stands there: the name of its application, its client, what was noted', async (t) => {
  const { url } = await startUpstream(t);
  const names = [
    'subscription.applicationName',
    'subscription.clientId',
    "subscription.metadata['tier']",
    "context.attributes['application']",
  ];
  const addHeaders = names.map((name, index) => ({
    name: `X-${index}`,
    value: `{#${name} ?: 'none'}`,
  }));
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, {
        plans: { keyed: { security: { type: 'API_KEY' } } },
        flows: [flow('/', { request: [['transform-headers', { addHeaders }]] })],
      }),
      'isthmus.json': {
        subscriptions: [
          { id: 's', api: 'a', plan: 'keyed', application: 'shop', apiKeys: ['one-key'] },
          {
            id: 'named',
            api: 'a',
            plan: 'keyed',
            application: { id: 'kiosk', name: 'The kiosk' },
            clientId: 'c',
            metadata: { tier: 'gold' },
            apiKeys: ['two-keys'],
          },
        ],
      },
    },
  });
  const seen = async (key: string): Promise<readonly unknown[]> => {
    const { text } = await gateway.call('/a', { headers: { 'X-Gravitee-Api-Key': key } });
    const { headers } = JSON.parse(text) as { readonly headers: Readonly<Record<string, unknown>> };
    return ['x-0', 'x-1', 'x-2', 'x-3'].map((name) => headers[name]);
  };
  assert.deepEqual(await seen('one-key'), ['shop', 'none', 'none', 'shop']);
  assert.deepEqual(await seen('two-keys'), ['The kiosk', 'c', 'gold', 'kiosk']);
});

test("a key is one application's, and for one plan of an API: what comes second is named without it, and lets nobody in", async (t) => {
  const { url } = await startUpstream(t);
  const plans = { keyed: { security: { type: 'API_KEY' } } };
  const of = (id: string, application: string, more: object = {}) => ({
    id,
    api: 'a',
    plan: 'keyed',
    application,
    apiKeys: ['of-the-shop'],
    ...more,
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, { plans }),
      b: apiDefinition('b', url, { plans }),
      'isthmus.json': {
        subscriptions: [
          of('former', 'kiosk', { status: 'CLOSED' }),
          of('first', 'shop'),
          of('elsewhere', 'shop', { api: 'b' }),
          of('foreign', 'kiosk', { api: 'b', apiKeys: ['of-the-kiosk', 'of-the-shop'] }),
        ],
      },
    },
  });
  const reasons = (await ready(gateway)).problems.map(({ reason }) => reason);
  assert.deepEqual(reasons, [
    `subscriptions[3] apiKeys[1] of subscription "foreign" is that of "first" already, which is the application "shop"'s`,
  ]);
  const asked = (path: string, key: string) => status(gateway, path, { 'x-gravitee-api-key': key });
  assert.deepEqual(
    [await asked('/a', 'of-the-shop'), await asked('/b', 'of-the-shop'), await asked('/b', 'of-the-kiosk')],
    [200, 200, 401],
  );
});

test('a setting of the process in the isthmus.yaml of the definitions is named as misplaced', async (t) => {
  const gateway = await startLocalGateway(t, {
    apis: { 'isthmus.yaml': 'listen: { port: 1 }\nlog: {}\nsubscriptions: []' },
  });
  const [problem] = (await ready(gateway)).problems;
  assert.equal(problem?.file, 'isthmus.yaml');
  assert.match(problem?.reason ?? '', /^listen, log do not belong here: .*the file that --config names/);
});

test('a subscription to an API or plan that is not there is named in log and readiness, and comes right by itself when it appears', async (t) => {
  const { url } = await startUpstream(t);
  const plans = { keyed: { security: { type: 'API_KEY' } } };
  const to = (api: string, plan: string, more: object = {}) => ({
    id: `${api}-${plan}`,
    api,
    plan,
    application: 'shop',
    apiKeys: [`of-${api}-${plan}`],
    ...more,
  });
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', url, { plans }),
      elsewhere: { ...apiDefinition('elsewhere', url, { plans }), state: 'STOPPED' },
      isthmus: {
        subscriptions: [
          to('a', 'keyed'),
          to('a', 'gold'),
          to('later', 'keyed'),
          to('elsewhere', 'keyed'),
          to('gone', 'keyed', { status: 'CLOSED' }),
        ],
      },
    },
  });
  const problems = async () => (await ready(gateway)).problems.map(({ file, reason }) => `${file} ${reason}`);
  const plan =
    'isthmus.json subscription "a-gold": the API "a" has no published plan "gold"; there are: keyed';
  const api =
    'isthmus.json subscription "later-keyed": the API "later" is not among those that are served; there are: a';
  assert.deepEqual(await problems(), [plan, api]);
  assert.deepEqual((await ready(gateway)).degraded, ['definitions']);
  assert.equal((await ready(gateway)).status, 200);
  const told = () => gateway.logged.filter((line) => line.includes('let nobody in'));
  assert.equal(told().length, 1);
  assert.match(told()[0] ?? '', /later.*is not among/);
  gateway.write('later', apiDefinition('later', url, { plans }));
  const key = { 'x-gravitee-api-key': 'of-later-keyed' };
  await eventually(async () => (await status(gateway, '/later', key)) === 200, withinASecond);
  await eventually(async () => (await problems()).length === 1, withinASecond);
  const gold = { ...plans, gold: { security: { type: 'API_KEY' } } };
  gateway.write('a', apiDefinition('a', url, { plans: gold }));
  await eventually(async () => (await problems()).length === 0, withinASecond);
  assert.deepEqual((await ready(gateway)).degraded, []);
  assert.equal(await status(gateway, '/a', { 'x-gravitee-api-key': 'of-a-gold' }), 200);
});
