import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test, type TestContext } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../../proto/policies/policy-schema.ts';
import {
  type Answer,
  apiDefinition,
  flow,
  type LocalGateway,
  startLocalGateway,
} from '../../kit/gateway/gateway.ts';
import { settingsOf, policyExamples, withBackend } from '../../kit/policy-examples.ts';
import { freePort } from '../../kit/processes/processes.ts';
import { tempDir } from '../../kit/temp-dir.ts';
import { type KeyRow, once } from './row.ts';
import { keyRows, nameOf } from './rows.ts';
import { client } from './security-rows.ts';

/** How long a backend that says nothing keeps the others waiting. */
const answerMsMax = 3_000;

const ended: (() => unknown)[] = [];
const context: Pick<TestContext, 'after'> = {
  after: (end: unknown) => void ended.unshift(end as () => unknown),
};
after(async () => {
  for (const end of ended) await end();
});

const rows = keyRows(tempDir(context));

function statusOf({ policy, key, phase }: KeyRow): number {
  const schema: PolicySchema = catalog[policy];
  const { status, answerStatus = status } = schema.errors[key] ?? assert.fail(`${policy} has no ${key}`);
  return phase === 'response' ? answerStatus : status;
}

/** What answers for all backends: the first part of a path is a row. */
async function startBackend(): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const row = rows[Number.parseInt(incoming.url?.slice(1) ?? '', 10)];
    const { backend = {} } = row ?? {};
    incoming.resume();
    if (backend === 'silent') return;
    incoming.on('end', () =>
      outgoing
        .writeHead(backend.status ?? 200, { 'Content-Type': 'text/plain', ...backend.headers })
        .end(backend.body ?? 'hello'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where its backend is, and its response templates. */
interface Served {
  readonly backend: string;
  readonly templates: object;
}

/** The API of a row, as it is, and with a template that answers with the key. */
function definitionOf(id: string, row: KeyRow, { backend, templates }: Served): object {
  const { phase = 'request', steps = [], security = { type: 'KEY_LESS' } } = row;
  const flows = steps.length === 0 ? [] : [flow('/', { [phase]: steps })];
  const written = {
    plans: { callers: { security } },
    flows,
    ...row.definition,
    responseTemplates: templates,
  };
  return withBackend(apiDefinition(id, backend, written), backend);
}

const said = (key: string): object => ({
  [key]: { '*/*': { status: 299, body: `{#error.key} of ${key}` } },
});

suite(
  'each error key of each policy is raised at a gateway, with its status, and its response template answers',
  () => {
    const gateways = new Map<string, LocalGateway>();

    before(async () => {
      const backend = await startBackend();
      const examples = policyExamples().filter(({ policy: { id } }) =>
        ['geoip-filtering', 'jws'].includes(id),
      );
      const named = settingsOf(examples, tempDir(context));
      const settings = {
        usual: {
          // A script waits for its thread as long as others keep the machine busy.
          policy: { ...(named['policy'] as object), js: { waitMsMax: 10_000 } },
          listen: { trustedProxies: ['127.0.0.1'] },
          request: { answerMsMax },
        },
        'one thread': { policy: { js: { threadsMax: 1, waitingMax: 2, waitMsMax: 10 } } },
        'counters gone': { limits: { redis: { url: `redis://127.0.0.1:${await freePort()}` } } },
        terminated: {
          listen: { trustedProxies: ['127.0.0.1'], tls: { clientCertificateHeader: 'X-Certificate' } },
        },
      };
      for (const [name, config] of Object.entries(settings)) {
        const served = rows
          .map((row, at) => ({ row, at }))
          .filter(({ row: { gateway = 'usual' } }) => gateway === name);
        const ids = served.flatMap(({ at }) => [`${at}`, `${at}-said`]);
        const gateway = await startLocalGateway(context, {
          apis: Object.fromEntries(
            served.flatMap(({ row, at }) => [
              [`${at}`, definitionOf(`${at}`, row, { backend: `${backend}/${at}`, templates: {} })],
              [
                `${at}-said`,
                definitionOf(`${at}-said`, row, { backend: `${backend}/${at}`, templates: said(row.key) }),
              ],
            ]),
          ),
          subscriptions: ids.map((id) => ({
            id,
            api: id,
            plan: 'callers',
            application: 'app',
            clientId: client,
          })),
          config,
        });
        gateways.set(name, gateway);
      }
    });

    for (const [at, row] of rows.entries())
      test(nameOf(row), async () => {
        const gateway = gateways.get(row.gateway ?? 'usual') ?? assert.fail();
        const { raise = once, call: { path = '', ...options } = {} } = row;
        const answered = (id: string): Promise<readonly Answer[]> =>
          raise(() => gateway.call(`/${id}${path}`, options));
        const plain = await answered(`${at}`);
        const statuses = plain.map(({ status }) => status);
        assert.ok(
          statuses.includes(statusOf(row)),
          `${statuses.join()} ${plain[0]?.text} ${gateway.logged.at(-1)}`,
        );
        const templated = await answered(`${at}-said`);
        const texts = templated.map(({ status, text }) => `${status} ${text}`);
        assert.ok(texts.includes(`299 ${row.key} of ${row.key}`), texts[0]);
      });
  },
);
