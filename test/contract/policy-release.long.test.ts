import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { localTenant } from '../../data-plane/local/local.ts';
import { recordsOf } from '../../data-plane/local/records.ts';
import { Objects } from '../../proto/definition/resources.ts';
import { definitionOf, methodOf, type PolicyExample } from '../../proto/policies/reference/example.ts';
import type { resourceCatalog } from '../../proto/resources/catalog.ts';
import { eventually } from '../kit/eventually.ts';
import { type LocalGateway, startLocalGateway } from '../kit/gateway/gateway.ts';
import { folderOf, policyExamples, settingsOf, withBackend } from '../kit/policy-examples.ts';
import { tempDir } from '../kit/temp-dir.ts';

/** What an API has opened goes with it: timers, sockets, threads, memory, of each policy in its example and of each resource. */

const rounds = 200;
/** Requests cost more than deploying, and open what is opened late. */
const roundsPerCall = 20;
/** Of all rounds: less than a closure with its configuration for each. */
const heapGrowthBytesMax = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A server that nobody reaches, for what connects in vain. */
const nowhere = '127.0.0.1:1';
const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
const credentials = { request: { headers: { Authorization: basic } }, answer: {} } as const;
const asking = (type: string, configuration: object): PolicyExample => ({
  about: '',
  request: [{ policy: 'policy-basic-authentication', configuration: { authenticationProviders: ['users'] } }],
  definition: { resources: [{ name: 'users', type, configuration }] },
  calls: [credentials],
});
const caching = (type: string, configuration: object): PolicyExample => ({
  about: '',
  request: [{ policy: 'cache', configuration: { cacheName: 'answers' } }],
  definition: { resources: [{ name: 'answers', type, configuration }] },
  calls: [{ request: { path: '/orders' }, answer: {} }],
});
const tokens = (type: string, configuration: object): PolicyExample => ({
  about: '',
  request: [{ policy: 'policy-openid-userinfo', configuration: { oauthResource: 'server' } }],
  definition: { resources: [{ name: 'server', type, configuration }] },
  calls: [{ request: { headers: { Authorization: 'Bearer token' } }, answer: {} }],
});

/** An API for each kind of resource. */
const resources: Readonly<Record<keyof typeof resourceCatalog, PolicyExample>> = {
  'auth-provider-inline-resource': asking('auth-provider-inline-resource', {
    users: [{ username: 'ada', password: 'secret' }],
  }),
  'auth-provider-http-resource': asking('auth-provider-http-resource', {
    method: 'GET',
    url: 'http://backend.example:8080/users',
    condition: '{#authResponse.status == 200}',
  }),
  'auth-provider-ldap-resource': asking('auth-provider-ldap-resource', {
    contextSourceUrl: `ldap://${nowhere}`,
    contextSourceBase: 'dc=acme',
    contextSourceUsername: 'cn=root',
    contextSourcePassword: 'of-root',
  }),
  cache: caching('cache', {}),
  'cache-redis': caching('cache-redis', { host: '127.0.0.1', port: 1, useSsl: false }),
  oauth2: tokens('oauth2', {
    authorizationServerUrl: 'http://backend.example:8080',
    userInfoEndpoint: '/userinfo',
  }),
  'oauth2-am-resource': tokens('oauth2-am-resource', {
    serverURL: 'http://backend.example:8080',
    securityDomain: 'shop',
    clientId: 'a',
    clientSecret: 'b',
  }),
  'content-provider-inline-resource': {
    about: '',
    request: [{ policy: 'oas-validation', configuration: { resourceName: 'document' } }],
    definition: {
      resources: [
        {
          name: 'document',
          type: 'content-provider-inline-resource',
          configuration: { content: '{"openapi":"3.0.0","info":{"title":"a","version":"1"},"paths":{}}' },
        },
      ],
    },
    calls: [{ request: { path: '/orders' }, answer: {} }],
  },
};

async function startBackend(t: Pick<TestContext, 'after'>): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.end('{"hello":"world"}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

suite('what an API has opened goes with it', () => {
  const examples = policyExamples();
  const ended: (() => unknown)[] = [];
  const context = { after: (end: unknown) => void ended.unshift(end as () => unknown) };
  let gateway: LocalGateway;
  let backend = '';
  let seq = 10;

  before(async () => {
    backend = await startBackend(context);
    gateway = await startLocalGateway(context, {
      apis: { isthmus: folderOf(examples) },
      config: settingsOf(examples, tempDir(context)),
    });
  });
  after(async () => {
    for (const end of ended) await end();
  });

  const deploy = (definition: Record<string, unknown>): void => {
    seq += 1;
    const revision = String(seq);
    const file = { name: 'one.json', version: revision, documents: [definition], problem: undefined };
    const set = recordsOf(file, { ...localTenant, objects: new Objects([]), tags: [] }).records.map(
      ({ kind, id, payload }) => ({ kind, id, payload, seq, revision }),
    );
    const change = { ...localTenant, seq, isFull: false };
    assert.deepEqual(gateway.deployments.apply({ ...change, set, removed: [] }), []);
  };
  const undeploy = (id: string): void => {
    seq += 1;
    const removed = [{ kind: 'api', id }] as const;
    assert.deepEqual(gateway.deployments.apply({ ...localTenant, seq, isFull: false, set: [], removed }), []);
  };

  const run = async (id: string, example: PolicyExample, times: number): Promise<void> => {
    const definition = withBackend(definitionOf({ id, title: id }, example), backend);
    const [first] = example.calls;
    for (let round = 1; round <= times; round += 1) {
      deploy(definition as Record<string, unknown>);
      if (first !== undefined && round % roundsPerCall === 0) {
        const { path = '', headers = {}, body } = first.request;
        const method = methodOf(first.request);
        await gateway.call(`/${id}${path}`, { method, headers, ...(body !== undefined && { body }) });
      }
      undeploy(id);
      // The event loop goes on, as between two changes.
      if (round % 10 === 0) await new Promise(setImmediate);
    }
  };

  const subjects: readonly (readonly [string, PolicyExample])[] = [
    ...examples.map(({ policy, example }) => [policy.id, example] as const),
    ...Object.entries(resources),
  ];
  for (const [id, example] of subjects)
    test(`${id}: ${rounds} times deployed and undeployed`, async (t) => {
      await run(id, example, 2 * roundsPerCall);
      const first = await atRest();
      await run(id, example, rounds);
      // Pools and threads have a moment to close.
      let last = first;
      await eventually(
        async () => {
          last = await atRest();
          return (
            last.heapBytes - first.heapBytes <= heapGrowthBytesMax &&
            [...last.opened].every(([kind, count]) => count <= (first.opened.get(kind) ?? 0) + 1)
          );
        },
        { timeoutMs: 20_000, everyMs: 250 },
      ).catch((error: unknown) => {
        t.diagnostic(`${last.heapBytes - first.heapBytes} bytes more; ${JSON.stringify([...last.opened])}`);
        throw error;
      });
    });
});

interface Held {
  readonly heapBytes: number;
  /** Timers, sockets, ports and others that libuv knows, by their kinds. */
  readonly opened: ReadonlyMap<string, number>;
}

async function atRest(): Promise<Held> {
  await new Promise(setImmediate);
  collect();
  collect();
  const opened = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) opened.set(kind, (opened.get(kind) ?? 0) + 1);
  return { heapBytes: process.memoryUsage().heapUsed, opened };
}
