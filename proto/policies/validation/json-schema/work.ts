/**
 * What one validation may do. Schemas are written by publishers and bodies by anybody, and together they can ask for time that doubles with
 * each level; so whatever they repeat is paid for before it is done. A unit is some thirty nanoseconds: all of it are some 100 ms.
 */
const unitsMax = 4_000_000;

/** It would take more than it may. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

/** Of the validation that runs: it is synchronous, and there is one at a time. */
let left = unitsMax;

/** A validation begins. */
export function beginWork(): void {
  left = unitsMax;
}

/** Pays for what is about to be done. Errors: {@link TooMuchWork} once everything is spent. */
export function spend(units: number): void {
  left -= units;
  if (left < 0) throw new TooMuchWork('the schema and the body together ask for more work than they may');
}

/** What a subschema costs wherever it is asked. */
export interface Weight {
  readonly once: number;
  /** For each member of an object, where its keywords look at all of them. */
  readonly perMember: number;
}

/** Pays for asking a subschema about a value. */
export function spendFor({ once, perMember }: Weight, value: unknown): true {
  const members =
    perMember > 0 && typeof value === 'object' && value !== null ? Object.keys(value).length * perMember : 0;
  spend(once + members);
  return true;
}

/** Says whether a list holds nothing twice (JSON Schema: uniqueItems), in time that grows with the list and no faster. */
export function areUnique(list: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const item of list) {
    const text = canonical(item);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Two values have the same one when JSON Schema calls them equal: whatever the order of members. */
function canonical(value: unknown): string {
  spend(50);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
  }
  if (typeof value === 'string') spend(value.length >> 6);
  return JSON.stringify(value);
}
