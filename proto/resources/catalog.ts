import type { z } from 'zod';

import { authProviderHttp } from './auth-provider-http-resource.ts';
import { authProviderInline } from './auth-provider-inline-resource.ts';
import { authProviderLdap } from './auth-provider-ldap-resource.ts';
import { cache } from './cache.ts';
import { cacheRedis } from './cache-redis.ts';
import { contentProviderInline } from './content-provider-inline-resource.ts';
import { oauth2 } from './oauth2.ts';
import { oauth2Am } from './oauth2-am-resource.ts';
import type { ResourceSchema } from './resource-schema.ts';

/** Every resource this version knows, by id; a new one is its schema file and a line here. */
export const resourceCatalog = {
  'auth-provider-http-resource': authProviderHttp,
  'auth-provider-inline-resource': authProviderInline,
  'auth-provider-ldap-resource': authProviderLdap,
  cache,
  'cache-redis': cacheRedis,
  'content-provider-inline-resource': contentProviderInline,
  oauth2,
  'oauth2-am-resource': oauth2Am,
} as const satisfies Readonly<Record<string, ResourceSchema>>;

/** Id of a resource of this version. */
export type ResourceId = keyof typeof resourceCatalog;

/** Parsed configuration of a resource, defaults filled. */
export type ResourceConfig<Id extends ResourceId> = z.output<(typeof resourceCatalog)[Id]['config']>;

/** Says whether this version knows a resource. */
export function isResourceId(id: string): id is ResourceId {
  return Object.hasOwn(resourceCatalog, id);
}
