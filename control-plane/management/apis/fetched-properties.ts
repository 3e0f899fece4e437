import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { Words } from '../../../proto/model/fetched/words.ts';
import type { ApiRow } from './apis.store.ts';

interface Property {
  readonly key: string;
  readonly dynamic?: boolean | undefined;
}

/** Properties with those that were fetched in place of former ones: one that the author wrote wins, as in the reference. */
export function withFetched<Written extends Property>(
  properties: readonly Written[],
  fetched: Words | undefined,
): readonly (Written | { readonly key: string; readonly value: string; readonly dynamic: true })[] {
  if (fetched === undefined) return properties;
  const own = properties.filter(({ dynamic }) => dynamic !== true);
  const keys = new Set(own.map(({ key }) => key));
  const found = [...fetched].filter(([key]) => !keys.has(key));
  return [...own, ...found.map(([key, value]) => ({ key, value, dynamic: true as const }))];
}

/** What an author wrote, out of what he read: properties that were fetched are not his. */
export function withoutFetched<Wish extends { readonly properties?: Property[] | undefined }>(
  wish: Wish,
): Wish {
  const { properties } = wish;
  return properties === undefined
    ? wish
    : { ...wish, properties: properties.filter(({ dynamic }) => dynamic !== true) };
}

/** Says why an API cannot have these beside its own; undefined when it can. */
export function noRoomFor(properties: readonly Property[], fetched: Words): string | undefined {
  return withFetched(properties, fetched).length > apiLimits.propertiesMax
    ? `With those of the definition there are more than ${apiLimits.propertiesMax} properties.`
    : undefined;
}

/** Says whether an API has properties fetched for it. */
export function hasFetchedProperties({ definition }: Pick<ApiRow, 'definition'>): boolean {
  const { services } = JSON.parse(definition) as {
    readonly services?: { readonly dynamicProperty?: { readonly enabled?: boolean } };
  };
  return services?.dynamicProperty !== undefined && services.dynamicProperty.enabled !== false;
}
