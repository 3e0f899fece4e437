import { test } from 'node:test';
import type { TestDatabase } from './servers/databases.ts';

/**
 * Whether this process belongs to the long run: a `x.long.test.ts` that imports `x.test.ts` asks it for what the short run leaves out.
 *
 * So both halves of a promise stand in one place: the short run has a case of it, the long one the others.
 */
export const isLongRun = process.argv[1]?.endsWith('.long.test.ts') === true;

const left: typeof test = Object.assign(async () => undefined, test);

/** Declares a test of the short run, which the long one need not repeat. */
export const shortTest: typeof test = isLongRun ? left : test;
/** Declares a test of the long run. */
export const longTest: typeof test = isLongRun ? test : left;

/** Declares a test whose promise hangs on no database: on SQLite in the short run, on others in the long one. */
export function testOnce({ name }: Pick<TestDatabase, 'name'>): typeof test {
  return name === 'sqlite' ? shortTest : longTest;
}
