import type { Finding } from './doctor.ts';

/** Settings that were read are valid; how many somebody chose says whether they were found. */
export function describeSettings(sources: ReadonlyMap<string, string>): Finding {
  if (sources.size === 0) return { status: 'ok', found: 'valid, as isthmus up takes them' };
  const given = [...sources.values()].filter((source) => source !== 'default');
  return { status: 'ok', found: `valid; ${given.length} of ${sources.size} are not the defaults` };
}
