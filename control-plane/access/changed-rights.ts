import type { Notifier } from '../storage/notifier.ts';

/** Hints that somebody's rights may have changed: the payload is his organization, empty where nobody knows which. */
export const rightsTopic = 'rights';

/** Tells every process that is letting somebody read something for long that it should judge him anew. */
export function tellChangedRights(notifier: Pick<Notifier, 'notify'>, organization: string): Promise<void> {
  return notifier.notify(rightsTopic, organization);
}
