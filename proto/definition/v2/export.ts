import { isJson, type Json, type SourceApi } from '../opened.ts';
import { plansInOrder } from '../plans.ts';
import type { PortalParts } from '../write.ts';

/**
 * Writes a body in words of version 4 as an export of the reference's management API: UPPER_CASE words, plans beside the API, and with what
 * console and portal keep of the original.
 */
export function version4ExportOf(body: Json, original: SourceApi): Json {
  const { gravitee: _gravitee, engine: _engine, plans, type, listeners, flows, ...rest } = body;
  const portal = portalPartsOf(original);
  const { members, metadata, pages } = original.api;
  return {
    api: {
      visibility: 'PRIVATE',
      lifecycleState: 'CREATED',
      ...portal.api,
      ...rest,
      definitionVersion: 'V4',
      type: upper(type),
      listeners: each(listeners, (listener) => ({ ...listener, type: upper(listener['type']) })),
      flows: each(flows, flowOf),
    },
    plans: each(plans, (plan) => planOf(plan, portal.plans.get(String(plan['id'])))),
    members: members ?? [],
    metadata: metadata ?? [],
    pages: Array.isArray(pages) ? pages : [],
  };
}

/** What console and portal keep of an API of version 1 or 2 and of its plans, in words of version 4: an import takes it as it is exported. */
export function portalPartsOf(original: SourceApi): Required<Pick<PortalParts, 'api' | 'plans'>> {
  const { visibility, lifecycleState, ...kept } = fieldsOf(original.api, apiFields);
  const plans = plansInOrder(original).flatMap(({ plan }) => (isJson(plan) ? [plan] : []));
  return {
    api: {
      ...kept,
      ...(visibility !== undefined && { visibility: upper(visibility) }),
      ...(lifecycleState !== undefined && { lifecycleState: upper(lifecycleState) }),
    },
    plans: new Map(plans.map((plan) => [String(plan['id']), fieldsOf(plan, planFields)])),
  };
}

function planOf(plan: Json, portal: Json | undefined): Json {
  const { security, mode = 'STANDARD', status = 'PUBLISHED', flows, ...rest } = plan;
  const { type, configuration = {} } = isJson(security) ? security : {};
  return {
    ...portal,
    ...rest,
    definitionVersion: 'V4',
    mode: upper(mode),
    status: upper(status),
    security: { type: upper(type), configuration: read(configuration) },
    flows: each(flows, flowOf),
  };
}

function flowOf(flow: Json): Json {
  return {
    ...flow,
    selectors: each(flow['selectors'], (selector) => ({ ...selector, type: upper(selector['type']) })),
  };
}

/** Fields that version 4 has as well, by the name they have there. */
const apiFields: ReadonlyMap<string, string> = new Map([
  ...['description', 'crossId', 'visibility', 'state', 'groups', 'labels', 'categories', 'picture'].map(same),
  ...['background', 'lifecycleState', 'disableMembershipNotifications'].map(same),
  ['lifecycle_state', 'lifecycleState'],
  ['disable_membership_notifications', 'disableMembershipNotifications'],
]);
const planFields: ReadonlyMap<string, string> = new Map([
  ...['crossId', 'description', 'validation', 'type', 'order', 'characteristics', 'excludedGroups'].map(same),
  ...['commentRequired', 'commentMessage', 'generalConditions'].map(same),
  ['excluded_groups', 'excludedGroups'],
  ['comment_required', 'commentRequired'],
  ['comment_message', 'commentMessage'],
  ['general_conditions', 'generalConditions'],
]);

function same(name: string): [string, string] {
  return [name, name];
}

function fieldsOf(holder: Json, names: ReadonlyMap<string, string>): Json {
  return Object.fromEntries(
    [...names].filter(([name]) => holder[name] !== undefined).map(([name, now]) => [now, holder[name]]),
  );
}

function each(list: unknown, change: (item: Json) => Json): readonly unknown[] {
  return Array.isArray(list) ? list.map((item: unknown) => (isJson(item) ? change(item) : item)) : [];
}

/** `key-less` becomes KEY_LESS. */
function upper(word: unknown): unknown {
  return typeof word === 'string' ? word.toUpperCase().replaceAll('-', '_') : word;
}

/** Exports have configurations as objects. */
function read(configuration: unknown): unknown {
  if (typeof configuration !== 'string') return configuration;
  try {
    return JSON.parse(configuration.trim() === '' ? '{}' : configuration) as unknown;
  } catch {
    return configuration;
  }
}
