import { mapSecrets } from '../../../proto/model/secrets/places.ts';
import type { SecretPlace } from '../../../proto/model/secrets/walk.ts';

/** What a walk through a definition visits, in its order. */
export function visitsOf(definition: unknown): readonly (readonly [string, SecretPlace])[] {
  const seen: (readonly [string, SecretPlace])[] = [];
  mapSecrets(definition, (value, at) => {
    seen.push([value, at]);
    return value;
  });
  return seen;
}
