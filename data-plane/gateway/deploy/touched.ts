import type { Subscriptions } from '../../security/subscriptions.ts';
import type { ConfigChange } from './change.ts';

/** The APIs and subscriptions whose streams a change may end; of keys the subscriptions that they opened before. */
export function touchedBy(
  { set, removed }: Pick<ConfigChange, 'set' | 'removed'>,
  before: Subscriptions | undefined,
): { readonly apis: ReadonlySet<string>; readonly subscriptions: ReadonlySet<string> } {
  const apis = new Set<string>();
  const subscriptions = new Set<string>();
  for (const { kind, id } of [...set, ...removed]) {
    if (kind === 'api') apis.add(id);
    else if (kind === 'subscription') subscriptions.add(id);
    else if (kind === 'api-key')
      for (const opened of before?.keys.get(id)?.subscriptions ?? []) subscriptions.add(opened);
  }
  return { apis, subscriptions };
}
