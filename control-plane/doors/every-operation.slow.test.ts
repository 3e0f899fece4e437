import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { makers } from '../../test/kit/control-plane/makers.ts';
import { type Answer, environment, type Office, openOffice } from '../../test/kit/control-plane/office.ts';
import { bodiesFor, type Schema, wordsFor } from '../../test/kit/fuzz/schema-values.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { managementOpenApi } from './openapi.ts';

/** `ISTHMUS_FUZZ_SEED` repeats a run, `ISTHMUS_FUZZ_ROUNDS` makes more requests of each operation. */
const seed = Number(process.env['ISTHMUS_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const rounds = Number(process.env['ISTHMUS_FUZZ_ROUNDS'] ?? 8);
/** Of an answer that refuses: whatever was sent, it is not sent back. */
const refusalBytesMax = 256 * 1_024;

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Operation extends Described {
  readonly method: string;
  readonly path: string;
}

const document = managementOpenApi() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
const { schemas } = document.components;

/** What ends who asks, or the way in, is a promise of other tests. */
const isOfSignIn = (path: string): boolean =>
  /\/user\/(?:login|logout)|\/auth\/|\/configuration\/signIn$|\/user\/(?:sessions|tokens)/.test(path);

// What takes something away comes last, so that the others find it.
const operations: readonly Operation[] = Object.entries(document.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  )
  .filter(({ path }) => !isOfSignIn(path))
  .toSorted((a, b) => Number(isTaking(a)) - Number(isTaking(b)));

function isTaking({ method, operationId }: Operation): boolean {
  return method === 'DELETE' || /archive|close|delete|stop|transfer/i.test(operationId);
}

/** One of each kind: for each path with names what stands for them. */
async function furnish(office: Office, t: TestContext): Promise<readonly (readonly [string, string])[]> {
  const made: (readonly [string, string])[] = [];
  for (const [template, make] of makers) made.push([template, await make(office, t)]);
  return made;
}

/** Puts into a path what exists: what has most of it in common, then whatever is called so. */
function filled(path: string, made: readonly (readonly [string, string])[]): string {
  const known = new Map([
    ['orgId', 'DEFAULT'],
    ['envId', 'DEFAULT'],
  ]);
  const common = (template: string): number => {
    const names = [...template.matchAll(/[^/]+/g)].map(([word]) => word);
    let count = 0;
    while (count < names.length && path.includes(`/${names.slice(0, count + 1).join('/')}`)) count += 1;
    return count;
  };
  for (const [template, real] of made.toSorted(([a], [b]) => common(a) - common(b))) {
    const words = template.split('/').slice(1);
    const values = real.split('/').slice(-words.length);
    for (const [at, word] of words.entries())
      if (word.startsWith('{')) known.set(word.slice(1, -1), values[at] ?? '');
  }
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => known.get(name) ?? 'none');
}

/** What stands for itself in a path: nothing and dots lead to another operation. */
const namesOfNothing = wordsFor({ type: 'string' }, schemas).filter((word) => !/^\.{0,2}$/.test(word));

/** What is asked of an operation: its path with what exists or what does not, a query, a body. */
function asks(
  { path, parameters = [], requestBody }: Operation,
  made: readonly (readonly [string, string])[],
) {
  const query = fc.record(
    Object.fromEntries(
      parameters
        .filter(({ in: place }) => place === 'query')
        .map(({ name, schema }) => [name, wordsFor(schema, schemas)]),
    ),
    { requiredKeys: [] },
  );
  const [type, described] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const isJson = type?.endsWith('json') === true;
  const body: fc.Arbitrary<unknown> =
    type === undefined
      ? fc.constant(undefined)
      : isJson
        ? bodiesFor(described?.schema ?? {}, schemas)
        : fc.string({ unit: 'binary', maxLength: 500 });
  const real = filled(path, made);
  const other = path.replaceAll(/\{(orgId|envId)\}/g, 'DEFAULT');
  const place = fc.oneof(
    { weight: 6, arbitrary: fc.constant(real) },
    {
      weight: 1,
      arbitrary: namesOfNothing.map((word) =>
        other.replaceAll(/\{\w+\}/g, encodeURIComponent(word.toWellFormed().slice(0, 2_000))),
      ),
    },
  );
  return fc.record({ place, query, body, type: fc.constant(type?.replace('*', 'plain')) });
}

/** What is wrong with an answer; undefined when nothing is. */
function faultOf({ responses }: Operation, { status, text, body }: Answer): string | undefined {
  if (status >= 500 && status !== 503) return `${status} ${text.slice(0, 500)}`;
  if (responses[String(status)] === undefined) return `${status} is not in the document`;
  if (status < 400) return undefined;
  if (Buffer.byteLength(text) > refusalBytesMax) return `${status} with ${text.length} characters`;
  const isSaid =
    body['httpStatus'] === status && typeof body['message'] === 'string' && body['message'] !== '';
  return isSaid && typeof body.technicalCode === 'string'
    ? undefined
    : `${status} says ${text.slice(0, 500)}`;
}

for (const database of testDatabases) {
  test(
    `whatever is sent to any operation, it is answered as its document says, and never by our fault (${database.name})`,
    { skip: database.skip, timeout: rounds * 60_000 },
    async (t) => {
      t.diagnostic(`ISTHMUS_FUZZ_SEED=${seed}`);
      const office = await openOffice(t, database);
      const made = await furnish(office, t);
      const faults = new Map<string, string>();
      const answered = new Map<number, number>();
      for (const operation of operations) {
        const sampled = fc.sample(asks(operation, made), { seed, numRuns: rounds });
        for (const { place, query, body, type } of sampled) {
          const search = new URLSearchParams(
            Object.entries(query).map(([name, word = '']): [string, string] => [name, word]),
          ).toString();
          const answer = await office.call(operation.method, `${place}${search === '' ? '' : `?${search}`}`, {
            ...(type !== undefined && { headers: { 'content-type': type } }),
            ...(typeof body === 'string' && type?.endsWith('json') !== true ? { text: body } : { body }),
          });
          answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
          const fault = faultOf(operation, answer);
          if (fault !== undefined)
            faults.set(
              `${operation.method} ${operation.path}`,
              `${fault}: ${search} ${JSON.stringify(body)?.slice(0, 300)}`,
            );
        }
      }
      t.diagnostic(JSON.stringify(Object.fromEntries(answered)));
      assert.equal((await office.call('GET', `${environment}/apis`)).status, 200, 'who asked still may');
      assert.deepEqual([...faults], []);
      // Half of them good: what is refused already by its form proves little.
      assert.ok((answered.get(200) ?? 0) + (answered.get(201) ?? 0) > 300, 'many are carried out');
    },
  );
}
