import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createLog } from '../proto/process/log.ts';
import { createOutbound } from '../proto/process/outbound/outbound.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createFakeClock } from '../test/kit/fake-clock.ts';
import { type CallWish, startPolicy } from '../test/kit/gateway/policies.ts';
import { startResources } from '../test/kit/gateway/resources.ts';
import type { StepPolicyId } from './policies/index.ts';
import type { PolicyOutbound } from './policies/policy.ts';
import { KeySets } from './security/tokens/key-sets.ts';
import { Revocations } from './security/tokens/revocations.ts';

/** Where a name leads that is this machine at first, and then what nobody may ask, in several spellings. */
const answers = ['127.0.0.1', '169.254.169.254', '::ffff:169.254.169.254', '127.0.0.2', 'fe80::1'];

/** What everybody is content with: a user, a token, keys, an embedding, labels of a prompt. */
const said = {
  active: true,
  keys: [],
  data: [{ embedding: [1, 0] }],
  results: [{ category_scores: { harm: 0 } }],
};

/** A server, a client as the gateway has for the calls of APIs, and what is asked there. */
async function scene(t: TestContext) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('connection', 'close').end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const left = [...answers];
  const outbound = createOutbound({
    profile: 'local',
    allow: ['127.0.0.1'],
    connectMsMax: 2_000,
    responseBytesMax: 1_000_000,
    resolve: async () =>
      left.splice(0, 1).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  });
  t.after(() => outbound.close());
  return { outbound, asked, left, url: `http://rebinding.example:${(server.address() as AddressInfo).port}` };
}

interface Where {
  readonly outbound: PolicyOutbound;
  readonly url: string;
}

/** Somebody who calls: `ask` makes one call, and gives what is said of it once that is `well` or `refused`. */
interface Row {
  readonly name: string;
  /** The file that calls. */
  readonly file: string;
  readonly start: (t: TestContext, where: Where) => () => unknown;
  readonly well: unknown;
  readonly refused: unknown;
}

const chat = JSON.stringify({ messages: [{ role: 'user', content: 'What is a falcon?' }] });

/** A policy, of which a call's warnings are told. */
function ofPolicy(
  id: StepPolicyId,
  configuration: (url: string) => object,
  { phase = 'request', ...wish }: CallWish & { readonly phase?: 'request' | 'response' } = {},
): Row['start'] {
  return (_t, { outbound, url }) => {
    const step = startPolicy(id, configuration(url), { host: { outbound }, place: { phase } });
    return async () => {
      const call = step.call(wish);
      await call.readContent('request');
      await call.pass();
      await call.answerThrough({ body: 'answer' });
      call.end();
      return () => call.warnings.join();
    };
  };
}

const http = { connectTimeout: 1_000, requestTimeout: 1_000, followRedirects: false };
const log = createLog({ name: 'g', level: 'silent' });

const oauth2 = (url: string): object => ({
  authorizationServerUrl: url,
  introspectionEndpoint: '/x',
  introspectionEndpointMethod: 'POST',
  userInfoEndpoint: '/x',
  userInfoEndpointMethod: 'GET',
  clientId: 'c',
  clientSecret: 's',
});

const rows: readonly Row[] = [
  {
    name: 'policy-http-callout',
    file: 'policies/traffic/policy-http-callout.ts',
    start: ofPolicy('policy-http-callout', (url) => ({ url: `${url}/x` })),
    well: '',
    refused: 'CALLOUT_HTTP_ERROR',
  },
  {
    name: 'traffic-shadowing',
    file: 'policies/traffic/traffic-shadowing.ts',
    start: ofPolicy('traffic-shadowing', (url) => ({ target: url })),
    well: '',
    refused: 'TRAFFIC_SHADOWING_FAILED',
  },
  {
    name: 'metrics-reporter',
    file: 'policies/traffic/metrics-reporter.ts',
    start: ofPolicy('metrics-reporter', (url) => ({ url: `${url}/x`, body: 'b' }), { phase: 'response' }),
    well: '',
    refused: 'METRICS_REPORTER_FAILED',
  },
  {
    name: 'the classifier of ai-prompt-guard-rails',
    file: 'policies/ai/model-call.ts',
    start: ofPolicy(
      'ai-prompt-guard-rails',
      (url) => ({ requestPolicy: 'LOG_REQUEST', classifier: { url: `${url}/x` } }),
      { body: chat, headers: { 'Content-Type': 'application/json' } },
    ),
    well: '',
    refused: 'UNEXPECTED_ERROR',
  },
  {
    name: 'the embeddings of ai-semantic-caching',
    file: 'policies/ai/model-call.ts',
    start: ofPolicy('ai-semantic-caching', (url) => ({ embeddings: { url: `${url}/x` } }), {
      body: chat,
      request: { method: 'POST' },
      headers: { 'Content-Type': 'application/json' },
    }),
    well: '',
    refused: 'AI_SEMANTIC_CACHING_ERROR',
  },
  {
    name: 'auth-provider-http-resource',
    file: 'resources/auth-provider-http-resource.ts',
    start(t, { outbound, url }) {
      const configuration = { url: `${url}/x` };
      const type = 'auth-provider-http-resource';
      const { resource } = startResources(t, [{ name: 'r', type, configuration }], { outbound });
      const { call } = startPolicy('latency', {});
      const user = { username: 'ada', password: 'p' };
      return async () => (await resource('authentication', 'r', '').authenticate(user, call())).kind;
    },
    well: 'known',
    refused: 'unavailable',
  },
  ...(['oauth2', 'oauth2-am-resource'] as const).flatMap((type): readonly Row[] => {
    const served = (t: TestContext, { outbound, url }: Where) => {
      const configuration: Readonly<Record<string, unknown>> =
        type === 'oauth2'
          ? { ...oauth2(url) }
          : { serverURL: url, securityDomain: 'd', clientId: 'c', clientSecret: 's' };
      return startResources(t, [{ name: 'r', type, configuration }], { outbound }).resource;
    };
    return [
      {
        name: `${type}, asked about a token`,
        file: 'resources/introspection.ts',
        start: (t, where) => async () =>
          (await served(t, where)('introspection', 'r', '').introspect('token')).kind,
        well: 'active',
        refused: 'unavailable',
      },
      {
        name: `${type}, asked about a user`,
        file: 'resources/user-info.ts',
        start: (t, where) => async () => (await served(t, where)('userInfo', 'r', '').ask('token')).kind,
        well: 'known',
        refused: 'unavailable',
      },
    ];
  }),
  {
    name: 'a key set of tokens',
    file: 'security/tokens/fetch-text.ts',
    start:
      (_t, { outbound, url }) =>
      async () => {
        const wish = { ...http, algorithm: 'RS256', url } as const;
        const { set, release } = new KeySets().acquire(wish, { clock: createFakeClock(), outbound, log });
        const found = await set.find({ kid: 'one', issuer: undefined });
        release();
        return found;
      },
    well: [],
    refused: 'unavailable',
  },
  {
    name: 'a list of revoked tokens',
    file: 'security/tokens/fetch-text.ts',
    start:
      (_t, { outbound, url }) =>
      async () => {
        const wish = { ...http, url, refreshMs: 1_000 };
        const list = new Revocations(wish, { clock: createFakeClock(), outbound, log });
        list.start();
        await list.tried;
        list.release();
        return list.has(JSON.stringify(said));
      },
    well: true,
    refused: false,
  },
];

for (const { name, start, well, refused } of rows)
  test(`${name}: a name that leads elsewhere the next time is judged by the address that is dialled`, async (t) => {
    const { outbound, asked, left, url } = await scene(t);
    const ask = start(t, { outbound, url });
    /** What is told in the background comes later than the call. */
    const comesTo = async (expected: unknown): Promise<void> => {
      const outcome = await ask();
      if (typeof outcome !== 'function') return assert.deepEqual(outcome, expected);
      await eventually(() => outcome() === expected);
    };
    await comesTo(well);
    await eventually(() => asked.length === 1);
    for (const [index] of answers.slice(1).entries()) {
      await comesTo(refused);
      await eventually(() => left.length === answers.length - 2 - index);
    }
    assert.equal(asked.length, 1, 'each was looked up, and none but the first dialled');
  });

test('whoever calls out for an API stands in the table', () => {
  const folders = '{gateway,endpoints,policies,resources,security,transform,script}';
  const calling = globSync(`${folders}/**/*.ts`, { cwd: import.meta.dirname }).filter(
    (file) =>
      !file.endsWith('.test.ts') &&
      readFileSync(`${import.meta.dirname}/${file}`, 'utf8').includes('outbound.request('),
  );
  assert.deepEqual(calling.toSorted(), [...new Set(rows.map(({ file }) => file))].toSorted());
});
