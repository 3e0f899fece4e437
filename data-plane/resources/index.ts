import type { ApiDefinition } from '../../proto/model/api.ts';
import {
  isResourceId,
  type ResourceConfig,
  resourceCatalog,
  type ResourceId,
} from '../../proto/resources/catalog.ts';
import { Fault } from '../../proto/faults/fault.ts';
import type { PolicyHost } from '../policies/policy.ts';
import type { Served } from '../policies/served.ts';
import { authProviderHttp } from './auth-provider-http-resource.ts';
import { authProviderInline } from './auth-provider-inline-resource.ts';
import { authProviderLdap } from './auth-provider-ldap-resource.ts';
import { cache } from './cache.ts';
import { cacheRedis } from './cache-redis.ts';
import { contentProviderInline } from './content-provider-inline-resource.ts';
import { oauth2 } from './oauth2.ts';
import { oauth2Am } from './oauth2-am-resource.ts';
import type { Resource, ResourceFactory, ResourceHost, Resources } from './resource.ts';

/** Every resource; a new one is its file and a line here. */
const factories: { readonly [Id in ResourceId]: ResourceFactory<Id> } = {
  'auth-provider-http-resource': authProviderHttp,
  'auth-provider-inline-resource': authProviderInline,
  'auth-provider-ldap-resource': authProviderLdap,
  cache,
  'cache-redis': cacheRedis,
  'content-provider-inline-resource': contentProviderInline,
  oauth2,
  'oauth2-am-resource': oauth2Am,
};

/** Makes the resources of an API, by name. Errors: Faults that say what cannot work on this gateway. */
export function createResources(definitions: ApiDefinition['resources'], host: ResourceHost): Resources {
  return new Map(
    definitions.flatMap(({ name, type, enabled, configuration }) =>
      enabled && isResourceId(type) ? [[name, create(type, configuration, { ...host, name })] as const] : [],
    ),
  );
}

/** Finds what the resources of an API serve; see `PolicyHost.resource`. */
export function servedBy(resources: Resources): PolicyHost['resource'] {
  return (use, name, at) => {
    const served = resources.get(name)?.[use];
    // As a property of a resource it may only be missing, which the compiler cannot see through a variable.
    if (served !== undefined) return served as Served[typeof use];
    const message = `"${name}" is no resource of this API that is enabled and serves a ${use}`;
    throw new Fault('request.invalid', { details: [{ path: at, message }] });
  };
}

function create<Id extends ResourceId>(
  id: Id,
  configuration: Readonly<Record<string, unknown>>,
  host: Parameters<ResourceFactory<Id>>[1],
): Resource {
  // The table's type ties the factory to the schema of the same id, which the compiler cannot see through a variable.
  return factories[id](resourceCatalog[id].config.parse(configuration) as ResourceConfig<Id>, host);
}
