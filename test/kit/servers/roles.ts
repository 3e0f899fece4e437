import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { grantStatements } from '../../../control-plane/storage/grants-sql.ts';
import { grantedRoles, type GrantedProcess } from '../../../control-plane/storage/grants.ts';

/** A role with the grants of one process, and the address of the database under it. */
export interface TestRole {
  readonly name: string;
  readonly url: string;
}

/**
 * Makes a role as `isthmus migrate --print-grants` has it, in a database whose schema is there; it goes with the test.
 *
 * Roles belong to the whole cluster, which other tests use at the same time: hence a name of its own.
 */
export async function createTestRole(
  t: Pick<TestContext, 'after'>,
  ownerUrl: string,
  process: GrantedProcess = 'bridge',
): Promise<TestRole> {
  const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await runAsOwner(ownerUrl, grantStatements(name, grantedRoles[process].grants));
  await runAsOwner(ownerUrl, `ALTER ROLE "${name}" PASSWORD '${password}'`);
  t.after(() => runAsOwner(ownerUrl, `DROP OWNED BY "${name}"; DROP ROLE "${name}"`));
  const url = new URL(ownerUrl);
  url.username = name;
  url.password = password;
  return { name, url: url.href };
}

/** Runs SQL on a connection of its own. */
export async function runAsOwner(url: string, statements: string): Promise<void> {
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}
