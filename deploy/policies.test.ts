import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalog } from '../proto/policies/catalog.ts';
import type { PolicySchema } from '../proto/policies/policy-schema.ts';
import { policyPage } from '../proto/policies/reference/page.ts';
import { pageForPeople } from './commands/page-for-people.ts';

/** What `isthmus policies` says, and its exit status. */
const said = (...args: readonly string[]) =>
  new Promise<{ readonly out: string; readonly talk: string; readonly code: number }>((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'cli.ts'), 'policies', ...args],
      (error, out, talk) => resolve({ out, talk, code: error === null ? 0 : Number(error.code) }),
    );
  });

test('isthmus policies lists every policy, prints the page of one, and says what to use in place of one that is not here', async () => {
  const [list, listed, page, whole, foreign, mistyped] = await Promise.all([
    said(),
    said('--json'),
    said('rate-limit'),
    said('rate-limit', '--json'),
    said('aws-lambda'),
    said('rate-limits'),
  ]);
  for (const { id, summary } of Object.values(catalog))
    assert.ok(list.out.includes(`  ${id} `) && list.out.includes(summary), id);
  assert.deepEqual(
    (JSON.parse(listed.out) as readonly { readonly id: string }[]).map(({ id }) => id),
    Object.keys(catalog).toSorted(),
  );
  const written = readFileSync(join(import.meta.dirname, '../docs/policies/rate-limit.md'), 'utf8');
  assert.equal(page.out.trimEnd(), written.replaceAll(/\[([^\]]*)\]\(\.\.\/[^)]*\)/g, '$1').trimEnd());
  const { configuration, errors, example } = JSON.parse(whole.out) as Record<string, Record<string, unknown>>;
  assert.ok(Object.hasOwn(configuration?.['properties'] ?? {}, 'rate'));
  assert.ok(Object.hasOwn(errors ?? {}, 'RATE_LIMIT_TOO_MANY_REQUESTS'));
  assert.ok(Array.isArray(example?.['calls']));
  assert.deepEqual([foreign.code, mistyped.code], [1, 1]);
  assert.match(foreign.talk, /no policy "aws-lambda".*In its place: give the function a URL/s);
  assert.match(mistyped.talk, /Did you mean rate-limit\?/);
});

test('in a terminal the page of a policy has no line of prose that is wider than it, and loses no word', () => {
  for (const policy of Object.values<PolicySchema>(catalog)) {
    const page = policyPage(policy);
    const shown = pageForPeople(page, 80);
    const [prose = ''] = shown.split('## Configuration');
    for (const line of prose.split('\n'))
      assert.ok(line.length <= 80 || !line.trim().includes(' '), `${policy.id}: ${line}`);
    const words = (text: string): readonly string[] =>
      text.match(/[\w.-]+/g)?.filter((word) => !/^-+$/.test(word)) ?? [];
    assert.deepEqual(words(shown), words(page), policy.id);
  }
});
