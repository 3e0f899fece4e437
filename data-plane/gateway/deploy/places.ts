import type { Place } from './definitions.ts';

/** Who holds a host and context path on this gateway. */
export interface Claim {
  readonly id: string;
  readonly environment: string;
  /** Host and path as people read them. */
  readonly place: string;
}

/**
 * Claims all places of an API or none.
 *
 * Returns the claim that stands in the way. The publisher already keeps paths apart within an environment; environments
 * that share a gateway can still meet here.
 */
export function claimPlaces(
  claims: Map<string, Claim>,
  owner: { readonly id: string; readonly environment: string },
  places: readonly Place[],
): Claim | undefined {
  const keys = places.map(({ host, path }) => `${host ?? ''}${path}`);
  for (const key of keys) {
    const claim = claims.get(key);
    if (claim !== undefined && (claim.id !== owner.id || claim.environment !== owner.environment))
      return claim;
  }
  for (const key of keys) claims.set(key, { ...owner, place: key });
  return undefined;
}
