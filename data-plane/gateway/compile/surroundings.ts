import type { NodeFacts, SecretReferences, Surroundings } from '../../../proto/expression/scope.ts';
import type { ApiDefinition } from '../../../proto/model/api.ts';

/** What expressions may read of the gateway itself. */
export interface ExpressionHost {
  readonly node: OwnFacts;
  readonly secrets: SecretReferences;
}

/** Of a process that evaluates nothing. */
export const noExpressionHost: ExpressionHost = {
  node: { id: '', version: '', zone: undefined },
  secrets: { get: () => ({ why: 'this process knows no secrets' }) },
};

/** What expressions may read of an API; the rest of what surrounds a request belongs to its environment. */
export type ApiFacts = Pick<Surroundings, 'api' | 'endpoints' | 'secrets'> & { readonly node: OwnFacts };

/** What a gateway knows of itself wherever it stands. */
type OwnFacts = Omit<NodeFacts, 'tenant' | 'shardingTags'>;

/** How far a property that names others is followed, and how long it may become. */
const propertiesDeepMax = 8;
const propertyCharsMax = 65_536;

/** Makes them once, of the definition. */
export function createApiFacts(
  { id, name, apiVersion, properties, endpointGroups }: ApiDefinition,
  { node, secrets }: ExpressionHost,
): ApiFacts {
  const resolved = resolvedProperties(new Map(properties.map(({ key, value }) => [key, value])));
  const names = endpointGroups.flatMap((group) => [group.name, ...group.endpoints.map((each) => each.name)]);
  return {
    api: { id, name, version: apiVersion, properties: resolved },
    endpoints: new Map(names.map((each) => [each, `${each}:`])),
    node,
    secrets,
  };
}

/** Properties as expressions read them, by their keys. */
export function resolvedProperties(written: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...written].map(([key, value]) => [key, resolve(value, written, 0)]));
}

/** `{{other}}` in a value stands for the value of that property; one that there is not stays as it is written. */
function resolve(value: string, properties: ReadonlyMap<string, string>, depth: number): string {
  if (depth >= propertiesDeepMax || !value.includes('{{')) return value;
  let made = '';
  let from = 0;
  for (const { 0: whole, 1: key = '', index } of value.matchAll(/\{\{([^{}]+)\}\}/g)) {
    const other = properties.get(key.trim());
    made += value.slice(from, index) + (other === undefined ? whole : resolve(other, properties, depth + 1));
    from = index + whole.length;
    if (made.length > propertyCharsMax) return value;
  }
  return made + value.slice(from);
}
