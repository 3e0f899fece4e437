import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { startHybrid } from '../kit/processes/hybrid.ts';
import { testDatabases } from '../kit/servers/databases.ts';

const skip = testDatabases.find((database) => database.name === 'postgres')?.skip ?? false;
const cuts = 8;
const within = { timeoutMs: 60_000, everyMs: 20 };

/** A word that says which deployment it is of. */
const numberOf = (word: string): number => Number(/^word-(\d+)$/.exec(word)?.[1] ?? Number.NaN);

test(
  `PostgreSQL dies ${cuts} times in the midst of deploys: callers are served, nothing goes back, and what was deployed is live`,
  { skip },
  async (t) => {
    const hybrid = await startHybrid(t, {
      database: 'postgres',
      bucket: 'folder',
      isBorderStrict: false,
      gateways: 1,
    });
    const { client, databaseUrl = '' } = hybrid;
    const [gateway = ''] = hybrid.gateways;
    const apis = await Promise.all(
      ['/a', '/b', '/c'].map(async (path) => {
        const wish = { path, target: 'http://127.0.0.1:9', security: 'KEY_LESS' } as const;
        const { id } = await client.createApi(wish);
        await client.answerWith(id, 'word-0');
        await client.deploy(id);
        return { id, path };
      }),
    );
    const ask = async (path: string): Promise<string> => {
      const answer = await fetch(`${gateway}${path}`);
      const text = await answer.text();
      return answer.status === 200 ? text : `${answer.status} ${text}`;
    };
    for (const { path } of apis) await eventually(async () => (await ask(path)) === 'word-0', within);

    let isOver = false;
    const told = { done: 0, failed: 0 };
    const wrong: string[] = [];
    const deployed = new Map<string, number>();
    const deploying = apis.map(async ({ id }) => {
      for (let n = 1; !isOver; n += 1)
        try {
          await client.answerWith(id, `word-${n}`);
          await client.deploy(id);
          deployed.set(id, n);
          told.done += 1;
        } catch (error) {
          told.failed += 1;
          // Unknown is not no: the caller is told that somebody else is away, in the platform's words.
          if (!/answered 50[03]: \{/.test(String(error))) wrong.push(String(error));
        }
    });
    const calling = apis.map(async ({ path }) => {
      let last = 0;
      while (!isOver) {
        const word = await ask(path);
        const number = numberOf(word);
        if (!(number >= last)) wrong.push(`${path} answers ${word} after word-${last}`);
        else last = number;
      }
    });

    const { default: pg } = await import('pg');
    const admin = new pg.Client({ connectionString: new URL('/postgres', databaseUrl).href });
    await admin.connect();
    const name = new URL(databaseUrl).pathname.slice(1);
    try {
      for (let cut = 0; cut < cuts; cut += 1) {
        const { done } = told;
        await eventually(() => told.done > done + 3, within);
        const { failed } = told;
        await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
        await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
          name,
        ]);
        await eventually(() => told.failed > failed + 3, within);
        await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      }
      const { done } = told;
      await eventually(() => told.done > done + 3, within);
    } finally {
      isOver = true;
      await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await admin.end();
    }
    await Promise.all([...deploying, ...calling]);
    t.diagnostic(`${told.done} deployed, ${told.failed} refused`);
    assert.deepEqual(wrong.slice(0, 10), []);
    for (const { id, path } of apis)
      await eventually(async () => numberOf(await ask(path)) >= (deployed.get(id) ?? Infinity), within);
    assert.ok(hybrid.process('control-plane').isRunning() && hybrid.process('bridge').isRunning());
  },
);
