import assert from 'node:assert/strict';
import { test } from 'node:test';
import { land } from '../../test/kit/control-plane/landing.ts';
import { environment, type Office, openOffice, v1 } from '../../test/kit/control-plane/office.ts';
import { createTestLake, recordLines } from '../../test/kit/control-plane/test-lake.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { sqlite } from '../../test/kit/servers/databases.ts';
import { byCommandLine, writeAudits } from './audit/audit.store.ts';

const organization = '/management/organizations/DEFAULT';
const lines = 40_000;

/** A user with those roles on APIs, and the Authorization of a token. */
async function reader(office: Office, name: string, apis: readonly string[]) {
  const body = { username: name, password: 'a password of twelve' };
  const user = String((await office.call('POST', `${organization}/users`, { body })).body['id']);
  for (const api of apis) {
    const members = `${environment}/apis/${api}/members`;
    const member = await office.call('POST', members, { body: { userId: user, roleName: 'OWNER' } });
    assert.equal(member.status, 201, member.text);
  }
  const token = await office.call('POST', `${organization}/users/${user}/tokens`, {
    body: { name: 'reads' },
  });
  assert.equal(token.status, 201, token.text);
  return { user, token: String(token.body['id']), authorization: `Bearer ${String(token.body['token'])}` };
}

/** Takes the first part of an answer, does something, and takes the rest; the lines that came, and whether it ended as it should. */
async function readAround(
  office: Office,
  { path, authorization, ...wish }: { path: string; authorization: string; method?: string; body?: string },
  meanwhile: () => Promise<unknown>,
): Promise<{ readonly lines: number; readonly isWhole: boolean }> {
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await office.app.request(`http://office${path}`, { headers, ...wish });
  assert.equal(answer.status, 200, path);
  assert.ok(answer.body !== null);
  let count = 0;
  let isWhole = false;
  const parts = answer.body.getReader();
  const countIn = (bytes: Uint8Array): number => Buffer.from(bytes).toString().split('\n').length - 1;
  try {
    for (let part = await parts.read(); !part.done; part = await parts.read()) {
      if (count === 0) await meanwhile();
      count += countIn(part.value as Uint8Array);
    }
    isWhole = true;
  } catch {
    // It broke off.
  }
  return { lines: count, isWhole };
}

test('what is sent for long breaks off once whoever asked for it may not have it any more, and is whole as long as he may', async (t) => {
  const lake = await createTestLake(t, sqlite);
  const analytics = await lake.start();
  const office = await openOffice(t, sqlite, { analytics });
  const { id: one } = await office.deployedApi('/one');
  const { id: two } = await office.deployedApi('/two');
  const atMs = office.clock.now();
  const where = { organization: office.at.organization, environment: office.at.environment };
  const of = { org_id: where.organization, env_id: where.environment };
  const calls = Array.from({ length: lines / 100 }, (_, n) =>
    recordLines(100, { ...of, api_id: n % 2 === 0 ? one : two, timestamp: atMs - n }),
  ).flat();
  await land(lake.blobs, calls, where);
  await eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 60_000 });
  const entries = Array.from({ length: 20_000 }, (_, n) => ({
    organization: where.organization,
    environment: where.environment,
    actor: { id: 'somebody', from: byCommandLine },
    event: 'API_UPDATED' as const,
    type: 'API' as const,
    id: String(n),
    nowMs: atMs,
  }));
  await office.storage.transaction((trx) => writeAudits(trx, entries));

  const from = atMs - 3_600_000;
  const searched = JSON.stringify({
    timeRange: { from: new Date(from).toISOString(), to: new Date(atMs + 1).toISOString() },
  });
  const span = `from=${from}&to=${atMs + 1}`;
  const exports: readonly {
    readonly path: string;
    readonly ofApi?: true;
    readonly method?: string;
    readonly body?: string;
  }[] = [
    { path: `${environment}/apis/${one}/logs/_export?format=ndjson&${span}`, ofApi: true },
    { path: `${environment}/logs/_export?format=ndjson`, ofApi: true, method: 'POST', body: searched },
    { path: `${v1}/platform/logs/export?format=ndjson&${span}`, ofApi: true },
    { path: `${v1}/audit/_export` },
    { path: `${organization}/audit/_export` },
  ];
  for (const [n, { ofApi, ...wish }] of exports.entries()) {
    const { user, token, authorization } = await reader(office, `reader${n}`, [one, two]);
    const roles = (scope: string, role: string) => ({
      body: { referenceType: scope, referenceId: 'DEFAULT', roles: [role] },
    });
    const give = (scope: string, role: string) =>
      office.call('PUT', `${organization}/users/${user}/roles`, roles(scope, role));
    const path = wish.path;
    // Members of APIs read their logs; the rest is for administrators.
    const isPlatform = path.includes('/platform/');
    if (ofApi === undefined) await give('ORGANIZATION', 'ADMIN');
    else if (isPlatform) await give('ENVIRONMENT', 'API_PUBLISHER');
    const whole = await readAround(office, { ...wish, authorization }, async () => undefined);
    assert.ok(whole.isWhole && whole.lines >= 15_000, `${path}: ${JSON.stringify(whole)}`);
    const broken = async (how: string, meanwhile: () => Promise<unknown>): Promise<void> => {
      const read = await readAround(office, { ...wish, authorization }, meanwhile);
      assert.ok(!read.isWhole && read.lines > 0, `${path}, ${how}: ${JSON.stringify(read)}`);
      assert.ok(read.lines < whole.lines / 2, `${path}, ${how}: ${read.lines} of ${whole.lines}`);
    };
    await broken('a right that was taken', () =>
      ofApi === undefined
        ? give('ORGANIZATION', 'USER')
        : office.call('DELETE', `${environment}/apis/${one}/members/${user}`),
    );
    if (ofApi === undefined) await give('ORGANIZATION', 'ADMIN');
    else
      await office.call('POST', `${environment}/apis/${one}/members`, {
        body: { userId: user, roleName: 'OWNER' },
      });
    await broken('a token that is gone', () =>
      office.call('DELETE', `${organization}/users/${user}/tokens/${token}`),
    );
  }
});
