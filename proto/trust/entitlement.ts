import type { RecordKind } from '../wire/published.ts';

/**
 * Whether a gateway with those sharding tags takes a record with these.
 *
 * Shape:  gateway tags in the reference's notation: `a` includes, `!b` excludes; none takes everything. An inclusion
 *         needs one match, an exclusion wins over all, exclusions alone take untagged records too.
 * Source: the reference product's table. There a tag that stands on both sides is an error; here exclusion wins, and
 *         whoever saves a fleet refuses it ({@link contradictoryTags}).
 */
export function isEntitled(gatewayTags: readonly string[], recordTags: readonly string[]): boolean {
  let hasInclusion = false;
  let isIncluded = false;
  for (const tag of gatewayTags) {
    if (tag.startsWith('!')) {
      if (recordTags.includes(tag.slice(1))) return false;
    } else {
      hasInclusion = true;
      isIncluded ||= recordTags.includes(tag);
    }
  }
  return !hasInclusion || isIncluded;
}

/** Tags that are both included and excluded; a fleet that has one is refused where it is saved. */
export function contradictoryTags(gatewayTags: readonly string[]): readonly string[] {
  return gatewayTags.filter((tag) => !tag.startsWith('!') && gatewayTags.includes(`!${tag}`));
}

/**
 * The same for one record of an environment: gateway-settings reach their own fleet whatever its tags are, since they
 * are what proves the tags; those of other fleets reach nobody else.
 */
export function isRecordEntitled(
  gateway: { readonly fleet: string; readonly tags: readonly string[] },
  record: { readonly kind: string; readonly id: string; readonly tags: readonly string[] },
): boolean {
  if (record.kind === 'gateway-settings') return record.id === gateway.fleet;
  // Sealed to one gateway of the fleet: a set for each of them would be a snapshot for each.
  if (record.kind === 'environment-key') return record.tags.includes(gateway.fleet);
  // A dictionary or an organization's flows carry no tags and concern every gateway of the environment.
  if (taglessKinds.has(record.kind) && record.tags.length === 0) return true;
  return isEntitled(gateway.tags, record.tags);
}

/** Whether records of a kind carry no tags of their own; the compiler asks for each kind. */
const isTagless = {
  'gateway-settings': false,
  'environment-key': false,
  'organization-flows': true,
  dictionary: true,
  'shared-policy-group': true,
  api: false,
  subscription: false,
  'api-key': false,
} as const satisfies Readonly<Record<RecordKind, boolean>>;

const taglessKinds: ReadonlySet<string> = new Set(
  Object.entries(isTagless).flatMap(([kind, is]) => (is ? [kind] : [])),
);
