import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import type { OutboundRequest, OutboundResponse } from '../proto/process/outbound/outbound.ts';
import { land } from '../test/kit/control-plane/landing.ts';
import { basic, openOffice, password } from '../test/kit/control-plane/office.ts';
import { createTestLake } from '../test/kit/control-plane/test-lake.ts';
import { eventually } from '../test/kit/eventually.ts';
import { apiDefinition } from '../test/kit/gateway/gateway.ts';
import { startExplainedGateway } from '../test/kit/gateway/records/explained-gateway.ts';
import { sqlite } from '../test/kit/servers/databases.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { explainedTable, explainFromControlPlane, explainFromSpool } from './explained.ts';

/** What `isthmus explain` says, and its exit status. */
const explain = (...args: readonly string[]) => explainWith({}, ...args);

const explainWith = (
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<readonly [said: string, told: string, code: number]> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'cli.ts'), 'explain', ...args],
      // Nothing of whoever runs the tests.
      { env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: '/nowhere', ...env } },
      (error, said, told) => resolve([said.trim(), told.trim(), error === null ? 0 : Number(error.code)]),
    );
  });

const idOf = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): string =>
  String(headers['x-gravitee-request-id']);

test('a request is explained out of the records of a gateway without a control plane, as a table and as JSON', async (t) => {
  const keyed = { keyed: { id: 'gold', name: 'Gold', security: { type: 'API_KEY' } } };
  const nobody = 'http://127.0.0.1:1';
  const gateway = await startExplainedGateway(
    t,
    { apis: { api: apiDefinition('api', nobody, { plans: keyed }) } },
    {},
  );
  const refused = await gateway.call('/api/a');
  await gateway.explain(refused);
  const at = ['--data-dir', gateway.dataDir] as const;
  const [table, json, unknown, nowhere, wrong] = await Promise.all([
    explain(idOf(refused), ...at),
    explain(idOf(refused), ...at, '--json'),
    explain('never', ...at),
    explain('never', '--data-dir', join(tempDir(t), 'none')),
    explain('never', '--url', 'ftp://nobody'),
  ]);
  assert.equal(table[2], 0, table.join());
  assert.match(table[0], /^GET \/api\/a: 401 API_KEY_MISSING in /);
  assert.match(table[0], /\n *\d.* entry +plan +refused +API_KEY_MISSING 401: /);
  const told = JSON.parse(json[0]) as { steps: { for: string } };
  assert.equal(told.steps.for, 'refused');
  assert.match(unknown[1], /No record of never lies on this machine/);
  assert.match(nowhere[1], /There are no records in .*none/);
  assert.deepEqual([unknown[2], nowhere[2], wrong[2]], [1, 1, 2]);
});

test('a control plane is asked with what isthmus login has kept for it, in the environment of that login', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url?.replace(/\?.*/, '')}`);
    response.writeHead(403, { 'content-type': 'application/json' }).end('{"message":"no"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = tempDir(t);
  mkdirSync(join(home, 'isthmus'));
  const contexts = {
    other: { url: 'http://127.0.0.1:1', token: 'istp_other' },
    here: { url, token: 'istp_here', environment: 'staging' },
  };
  writeFileSync(join(home, 'isthmus/contexts.json'), JSON.stringify({ current: 'other', contexts }));
  const [, told, code] = await explainWith({ XDG_CONFIG_HOME: home }, 'never', '--url', `${url}/`);
  assert.equal(code, 1, told);
  assert.match(asked.join(), /^Bearer istp_here .*\/staging\//);
  // Without a URL it is the current one, where no records lie here; a folder that is named is meant.
  writeFileSync(join(home, 'isthmus/contexts.json'), JSON.stringify({ current: 'here', contexts }));
  asked.length = 0;
  const [, elsewhere] = await explainWith({ XDG_CONFIG_HOME: home }, 'never', '--data-dir', home);
  assert.match(elsewhere, /There are no records in/);
  assert.deepEqual(asked, []);
  const [, current] = await explainWith({ XDG_CONFIG_HOME: home }, 'never');
  assert.match(current, /control plane refused/, 'of the current context');
  assert.match(asked.join(), /^Bearer istp_here .*\/staging\//);
  const [, nowhere] = await explainWith({}, 'never');
  assert.match(nowhere, /There are no records in isthmus-data/);
});

test('a request without steps took less than a millisecond, where no more is known', () => {
  const of = {
    requestId: 'one',
    timestamp: 'now',
    method: 'GET',
    uri: '/',
    status: 200,
    errorKey: undefined,
  };
  const told = explainedTable({ ...of, api: 'api', tookMs: 0, steps: undefined, missing: undefined });
  assert.match(told, /^GET \/: 200 in less than 1 ms\n/);
});

test('what a gateway wrote is told by the control plane as by the gateway itself, and a missing list says why', async (t) => {
  const gateway = await startExplainedGateway(t, {
    apis: { api: apiDefinition('api', 'http://127.0.0.1:1') },
  });
  const failed = await gateway.call('/api/a?api-key=hidden');
  const { record } = await gateway.explain(failed);
  const lake = await createTestLake(t, sqlite);
  const office = await openOffice(t, sqlite, { analytics: await lake.start() });
  const { id: api } = await office.deployedApi('/api');
  const { organization, environment } = office.at;
  const own = { ...record, org_id: organization, env_id: environment, api_id: api, gateway_id: 'g' };
  const { steps: _, ...bare } = own as Record<string, unknown>;
  const lines = [own, { ...bare, request_id: 'bare' }].map((line) =>
    JSON.stringify({ ...line, timestamp: office.clock.now() }),
  );
  await land(lake.blobs, lines, { organization, environment });
  await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
  const outbound = {
    async request(
      url: string,
      { method = 'GET', body, headers }: OutboundRequest,
    ): Promise<OutboundResponse> {
      assert.equal(headers?.['authorization'], 'Bearer token');
      const wish = { method, headers: { ...headers, authorization: basic('admin', password) } };
      const answer = await office.app.request(url, typeof body === 'string' ? { ...wish, body } : wish);
      const { status } = answer;
      return { status, json: () => answer.json() } as Partial<OutboundResponse> as OutboundResponse;
    },
  };
  const ask = (id: string, at = environment) =>
    explainFromControlPlane(outbound, { url: 'http://office/', token: 'token', environment: at }, id);
  const told = await ask(idOf(failed));
  const here = await explainFromSpool(gateway.dataDir, idOf(failed));
  assert.deepEqual(told.steps, here.steps);
  assert.equal(told.steps?.for, 'failed');
  assert.equal(told.tookMs, here.tookMs, 'not in whole milliseconds');
  assert.equal(told.api, api);
  assert.doesNotMatch(explainedTable(told), /hidden/);
  const missing = await ask('bare');
  assert.equal(missing.steps, undefined);
  assert.match(explainedTable(missing), /Its gateway wrote no steps of it although it was refused or failed/);
  await assert.rejects(ask('never'), /request\.not_found|Nothing was recorded/);
  await assert.rejects(ask('never', 'nowhere'), /refused the search/);
});
