import { newSpoolId, type StreamName } from '../../proto/spool/folder.ts';
import type { Tenant } from './messages.ts';

/** Gives each stream of an environment its spool of this process. */
export function createTenants(): (
  stream: StreamName,
  tenant: Pick<Tenant, 'organization' | 'environment'>,
) => Tenant {
  const known = new Map<string, Tenant>();
  return (stream, { organization, environment }) => {
    const key = `${stream}/${organization}/${environment}`;
    const at = known.get(key) ?? { stream, organization, environment, spool: newSpoolId() };
    known.set(key, at);
    return at;
  };
}
