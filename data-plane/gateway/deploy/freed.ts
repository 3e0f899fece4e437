import type { ApplyChange, ConfigChange, FreedRecords, HearTakenLate } from './change.ts';

/**
 * Applies changes, and after each of them what was refused for a path that has become free.
 *
 * Not a part of deployments themselves: of several processes one decides who has a path, and the others follow it.
 *
 * Shape:  the nacks returned are those of the change's own records that still stand.
 * Cost:   a look at each record that waits for a path, once more for each that is taken in.
 */
export function createFreedTaker({
  apply,
  freed,
}: {
  readonly apply: ApplyChange;
  readonly freed: FreedRecords;
}): { readonly apply: ApplyChange; readonly onTakenLate: (hear: HearTakenLate) => void } {
  let hear: HearTakenLate | undefined;
  const nameOf = ({ environment, set: [record] }: ConfigChange): string => `${environment}\0${record?.id}`;
  return {
    apply(change) {
      let nacks = apply(change);
      // One at a time: what is taken in may take a path from others that wait, or leave one to them.
      const tried = new Set<string>();
      const next = (): ConfigChange | undefined => freed().find((each) => !tried.has(nameOf(each)));
      for (let found = next(); found !== undefined; found = next()) {
        tried.add(nameOf(found));
        const { environment } = found;
        const [record] = found.set;
        const refused = apply(found);
        if (record === undefined || refused.length > 0) continue;
        hear?.(environment, record);
        if (environment === change.environment)
          nacks = nacks.filter(({ kind, id }) => kind !== record.kind || id !== record.id);
      }
      return nacks;
    },
    onTakenLate: (listener) => void (hear = listener),
  };
}
