import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { apiBody, basic, environment, v1 } from '../kit/control-plane/office.ts';
import { eventually } from '../kit/eventually.ts';
import { install, installationPassword } from '../kit/processes/installation.ts';
import type { HouseProcess } from '../kit/processes/processes.ts';
import { testDatabases } from '../kit/servers/databases.ts';

/** Where a control plane is killed: with the change made and not committed, or with the word of the commit on its way to it. */
type Moment = 'before the commit' | 'behind the commit';

/**
 * A way to a database that can be cut for one connection: at the commit of the transaction in which a text was sent, which it lets through or
 * not, and behind which no answer comes.
 */
async function startCut(t: TestContext, target: URL) {
  let armed: { readonly text: string; readonly moment: Moment; readonly onCut: () => void } | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    let said = '';
    let isCut = false;
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => (client.destroy(), database.destroy()));
    }
    client.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      said = /\bbegin\b/.test(text) ? text : said + text;
      if (armed !== undefined && !isCut && said.includes(armed.text) && /\bcommit\b/.test(text)) {
        isCut = true;
        if (armed.moment === 'behind the commit') database.write(bytes);
        armed.onCut();
        armed = undefined;
        return;
      }
      if (!isCut) database.write(bytes);
    });
    database.on('data', (bytes: Buffer) => void (isCut || client.write(bytes)));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    /** Resolves when it has cut. */
    cutAt(text: string, moment: Moment): Promise<void> {
      return new Promise((onCut) => {
        armed = { text, moment, onCut };
      });
    },
  };
}

const urlOf = (child: HouseProcess): string =>
  /control plane listening on (\S+)\/management/.exec(child.output())?.[1] ?? '';

interface Wish {
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(child: HouseProcess, { path, body, headers }: Wish) {
  const answer = await fetch(`${urlOf(child)}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: basic('admin', installationPassword),
      'content-type': 'application/json',
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, isReplayed: answer.headers.get('idempotent-replayed') === 'true' };
}

/** Creations, each with the table that it writes, for either moment; the list at the same path has what was made by its name. */
const creations = [
  { path: `${environment}/apis`, table: 'api', bodies: [apiBody('/once'), apiBody('/other')] },
  {
    path: `${v1}/applications`,
    table: 'application',
    bodies: ['Shop', 'Other'].map((name) => ({ name, description: 'sells' })),
  },
  // Its secret is shown in this answer and never again.
  {
    path: '/management/organizations/DEFAULT/user/tokens',
    table: 'personal_token',
    bodies: ['of a script', 'of another'].map((name) => ({ name })),
  },
];

const [postgres] = testDatabases.filter(({ name }) => name === 'postgres');

test(
  'a creation under a key, whose control plane is killed before it answers, is made once, and whoever repeats it after the restart gets its answer',
  { skip: postgres?.skip ?? true },
  async (t) => {
    const { url = '', start } = await install(t, postgres ?? assert.fail('PostgreSQL'));
    const { default: pg } = await import('pg');
    const database = new pg.Client({ connectionString: url });
    await database.connect();
    t.after(() => database.end());
    const count = async (query: string): Promise<number> =>
      Number((await database.query<{ count: string }>(query)).rows[0]?.count);
    const way = await startCut(t, new URL(url));
    const startHere = () => start(['--set', `database.url=${way.url}`]);
    let child = await startHere();
    for (const [index, moment] of (['before the commit', 'behind the commit'] as const).entries())
      for (const { path, table, bodies } of creations) {
        const what = `${table} ${moment}`;
        const body: Readonly<Record<string, unknown>> = bodies[index] ?? {};
        const wish = { path, body, headers: { 'idempotency-key': randomUUID() } };
        const isCut = way.cutAt(`into "${table}"`, moment);
        const unanswered = assert.rejects(ask(child, wish));
        await isCut;
        if (moment === 'behind the commit')
          await eventually(async () => (await count(doneCount)) > 0, { timeoutMs: 20_000 });
        child.kill('SIGKILL');
        await Promise.all([child.ended, unanswered]);
        await eventually(async () => (await count(othersCount)) === 0, { timeoutMs: 20_000 });
        child = await startHere();

        if (moment === 'before the commit') {
          const early = await ask(child, wish);
          assert.equal(early.status, 409, what);
          assert.match(early.text, /"technicalCode":"idempotency\.in_progress"/, what);
          // The minute of the claim is over.
          await database.query('UPDATE idempotency_key SET claimed_until_ms = 0');
        }
        const made = await ask(child, wish);
        assert.deepEqual([made.status, made.isReplayed], [201, moment === 'behind the commit'], made.text);
        const again = await ask(child, wish);
        assert.deepEqual([again.text, again.isReplayed], [made.text, true], what);
        const { text: list } = await ask(child, { path });
        assert.equal(list.split(`"name":${JSON.stringify(body['name'])}`).length - 1, 1, `${what}: ${list}`);
        const { token } = JSON.parse(made.text) as { readonly token?: string };
        if (token !== undefined) {
          const as = { authorization: `Bearer ${token}` };
          assert.equal((await ask(child, { path: `${environment}/apis`, headers: as })).status, 200, what);
        }
        await database.query('DELETE FROM idempotency_key');
      }
  },
);

const doneCount = 'SELECT count(*) FROM idempotency_key WHERE is_done = 1';
const othersCount =
  'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
