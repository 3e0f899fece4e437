import type { Actor } from '../../control-plane/access/actor.ts';
import type { Desk } from '../../control-plane/management/desk.ts';
import {
  createTenants,
  listTenants,
} from '../../control-plane/management/gateway-tenants/gateway-tenants.ts';
import { createTag, listTags } from '../../control-plane/management/tags/tags.ts';

/**
 * Makes the sharding tags and the tenant that a fleet shall have and that are not there yet: who makes a fleet at the machine may have no
 * console to make them in before. Says what it made, in words.
 */
export async function makeMissing(
  desk: Desk,
  actor: Actor,
  {
    organization,
    tags = [],
    tenant,
  }: {
    readonly organization: string;
    readonly tags?: readonly string[] | undefined;
    readonly tenant?: string | undefined;
  },
): Promise<readonly string[]> {
  const made: string[] = [];
  const known = new Set((await listTags(desk, organization)).map(({ key }) => key));
  for (const key of new Set(tags.map((tag) => tag.replace(/^!/, '')))) {
    if (known.has(key)) continue;
    await createTag(desk, actor, { organization, wish: { key, name: key } });
    made.push(`the sharding tag ${key}`);
  }
  const tenants = await listTenants(desk, organization);
  if (tenant !== undefined && !tenants.some(({ key }) => key === tenant)) {
    await createTenants(desk, actor, { organization, wishes: [{ key: tenant, name: tenant }] });
    made.push(`the tenant ${tenant}`);
  }
  return made;
}
