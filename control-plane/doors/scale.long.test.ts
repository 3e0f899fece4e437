import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { basic, type Office, openOffice, password } from '../../test/kit/control-plane/office.ts';
import { type Ask, operationsOf } from '../../test/kit/scale/asks.ts';
import { asksRights, type CountedDoor, countedDoor } from '../../test/kit/scale/counted.ts';
import { ann, annsPassword, type Call, makeTemplates } from '../../test/kit/scale/templates.ts';
import { fillWorld } from '../../test/kit/scale/world.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';

const answerMsP95Max = 200;
/**
 * The same on a machine that others keep busy, or that is slower: what a fixed piece of work takes there meanwhile, which takes a ninth of it on the
 * machine on which bounds are written when nothing else runs there. Work that is much shorter than a turn on the processor would not see others.
 */
const yardsticksMax = 9;
/** Of a question that is never over the bound; of others so many that one of twenty may wait for its turn on the machine, or for what is remembered from then on. */
const turnsMin = 3;
const turnsMax = 20;
/** Statements of one request, however long the list is. */
const statementsMax = 20;

/** Those among them that ask what the reader may do: in the organization and its environments, on what the path names, on all that is listed. */
const rightsMax = 3;
/** What says why somebody may do something asks for his rights besides. */
const explained = ['explainApiRights', 'explainApplicationRights'];

const yardstickBytes = new Uint8Array(32_000_000);

/** Does a piece of work in the turn between two answers; says how long it took, in milliseconds. */
function yardstick(): number {
  const beganMs = performance.now();
  createHash('sha256').update(yardstickBytes).digest();
  return performance.now() - beganMs;
}

const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Infinity;

async function tokenOf(office: Office, username: string, secret: string): Promise<string> {
  const made = await office.call('POST', '/management/organizations/DEFAULT/user/tokens', {
    body: { name: 'lists' },
    as: basic(username, secret),
  });
  return `Bearer ${String(made.body['token'])}`;
}

const callOf =
  (office: Office): Call =>
  async (method, path, body) => {
    const answer = await office.call(method, path, body === undefined ? {} : { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly msP95: number;
  /** Undefined where nothing was slow. */
  readonly yardstickMsP95: number | undefined;
  /** The most statements of a turn. */
  readonly statements: readonly string[];
}

/** Asks so many times; of what is refused once, and of an export the first part alone, since it takes as long as it is. */
async function askOften(door: CountedDoor, { method, path, body }: Ask, as: string): Promise<Asked> {
  const took: number[] = [];
  const worked: number[] = [];
  let statements: readonly string[] = [];
  for (;;) {
    if (Math.max(...took) > answerMsP95Max) worked.push(yardstick());
    door.take();
    const beganMs = performance.now();
    const answer = await door.app.request(`http://office${path}`, {
      method,
      headers: { authorization: as, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await (path.includes('/_export?') ? firstPart(answer) : answer.text());
    took.push(performance.now() - beganMs);
    const asked = door.take();
    if (asked.length > statements.length) statements = asked;
    const turns = Math.max(...took) > answerMsP95Max ? turnsMax : turnsMin;
    if (answer.status >= 300 || took.length >= turns)
      return {
        status: answer.status,
        text,
        msP95: p95(took),
        yardstickMsP95: worked.length === 0 ? undefined : p95(worked),
        statements,
      };
  }
}

async function firstPart(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  const part = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(part?.value);
}

/** How many pages there are, in each of the shapes that lists have; what is exported line by line has none. */
function pagesOf(text: string): number {
  if (!text.startsWith('{') || text.includes('}\n{')) return 1;
  const { pagination, page, totalElements } = JSON.parse(text) as {
    readonly pagination?: { readonly pageCount: number };
    readonly page?: { readonly total_pages: number };
    readonly totalElements?: number;
  };
  return pagination?.pageCount ?? page?.total_pages ?? Math.ceil((totalElements ?? 0) / 100);
}

/** What of the world cannot be asked: what it has none of, what one person may not, and what asks the lake and not the database. */
const unasked = [403, 404, 503];
/** Of analytics, which here is none: asked without a span of time it says what it lacks. */
const lacking = [400];

for (const database of testDatabases)
  test(
    `any list or search of 10,000 APIs, 10,000 applications, 100,000 subscriptions and a million changes answers within 200 ms at p95 (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const like = await makeTemplates(callOf(office));
      const beganMs = performance.now();
      await fillWorld(office.storage, office.at, like);
      t.diagnostic(`filled in ${Math.round((performance.now() - beganMs) / 1_000)} s`);
      const people = {
        admin: await tokenOf(office, 'admin', password),
        ann: await tokenOf(office, ann, annsPassword),
      };
      const door = countedDoor(office);
      const found: { readonly said: string; readonly msP95: number }[] = [];
      const wrong: string[] = [];
      let mostStatements = { said: '', count: 0 };
      const ask = async (id: string, one: Ask, [person, as]: readonly [string, string]): Promise<Asked> => {
        const asked = await askOften(door, one, as);
        const { status, msP95, yardstickMsP95 = 0, statements } = asked;
        const said = `${msP95.toFixed(0)} ms: ${person} ${id} ${one.path} ${JSON.stringify(one.body) ?? ''}`;
        if (status >= 300) {
          if (![...unasked, ...lacking].includes(status)) wrong.push(`${status} ${said} ${asked.text}`);
          return asked;
        }
        found.push({ said, msP95 });
        if (msP95 > Math.max(answerMsP95Max, yardsticksMax * yardstickMsP95))
          wrong.push(`${said} beside ${yardstickMsP95.toFixed(0)} ms of known work`);
        if (statements.length > mostStatements.count) mostStatements = { said, count: statements.length };
        if (statements.length > statementsMax) wrong.push(`${statements.length} statements: ${said}`);
        const rights = statements.filter(asksRights).length;
        if (rights > rightsMax && !explained.includes(id)) wrong.push(`${rights} ask for rights: ${said}`);
        return asked;
      };
      for (const operation of operationsOf(like))
        for (const person of Object.entries(people)) {
          const plain = await ask(operation.id, operation.plain, person);
          if (unasked.includes(plain.status)) continue;
          const last = pagesOf(plain.text);
          const page = last > 1 ? operation.page(last) : undefined;
          for (const one of [...(page === undefined ? [] : [page]), ...operation.varied])
            await ask(operation.id, one, person);
        }
      const dearest = found.toSorted((a, b) => b.msP95 - a.msP95).slice(0, 30);
      t.diagnostic(`${found.length} requests of each person and kind, the dearest of them:`);
      for (const { said } of dearest) t.diagnostic(said);
      t.diagnostic(`most statements: ${mostStatements.count} of ${mostStatements.said}`);
      assert.deepEqual(wrong, []);
      assert.ok(found.length > 500, `only ${found.length} are asked`);
    },
  );
