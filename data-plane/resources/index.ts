import type { ApiDefinition } from '../../proto/model/api.ts';
import {
  isResourceId,
  type ResourceConfig,
  resourceCatalog,
  type ResourceId,
} from '../../proto/resources/catalog.ts';
import { oauth2 } from './oauth2.ts';
import { oauth2Am } from './oauth2-am-resource.ts';
import type { Resource, ResourceFactory, ResourceHost, Resources } from './resource.ts';

/** Every resource; a new one is its file and a line here. */
const factories: { readonly [Id in ResourceId]: ResourceFactory<Id> } = {
  oauth2,
  'oauth2-am-resource': oauth2Am,
};

/** Makes the resources of an API, by name. Errors: Faults that say what cannot work on this gateway. */
export function createResources(definitions: ApiDefinition['resources'], host: ResourceHost): Resources {
  return new Map(
    definitions.flatMap(({ name, type, enabled, configuration }) =>
      enabled && isResourceId(type) ? [[name, create(type, configuration, host)] as const] : [],
    ),
  );
}

function create<Id extends ResourceId>(
  id: Id,
  configuration: Readonly<Record<string, unknown>>,
  host: ResourceHost,
): Resource {
  // The table's type ties the factory to the schema of the same id, which the compiler cannot see through a variable.
  return factories[id](resourceCatalog[id].config.parse(configuration) as ResourceConfig<Id>, host);
}
