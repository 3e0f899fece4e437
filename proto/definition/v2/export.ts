import { isJson, type Json, type SourceApi } from '../opened.ts';
import { plansInOrder } from '../plans.ts';

/**
 * Writes a body in words of version 4 as an export of the reference's management API: UPPER_CASE words, plans beside the API, and with what
 * console and portal keep of the original.
 */
export function version4ExportOf(body: Json, original: SourceApi): Json {
  const { gravitee: _gravitee, engine: _engine, plans, type, listeners, flows, ...rest } = body;
  const kept = fieldsOf(original.api, apiFields);
  const { members, metadata, pages } = original.api;
  const written = new Map(plansInOrder(original).map(({ plan }) => [isJson(plan) ? plan['id'] : plan, plan]));
  return {
    api: {
      ...kept,
      ...rest,
      definitionVersion: 'V4',
      type: upper(type),
      visibility: upper(kept['visibility'] ?? 'PRIVATE'),
      lifecycleState: upper(kept['lifecycleState'] ?? 'CREATED'),
      listeners: each(listeners, (listener) => ({ ...listener, type: upper(listener['type']) })),
      flows: each(flows, flowOf),
    },
    plans: each(plans, (plan) => {
      const before = written.get(plan['id']);
      return planOf(plan, isJson(before) ? before : {});
    }),
    members: members ?? [],
    metadata: metadata ?? [],
    pages: Array.isArray(pages) ? pages : [],
  };
}

function planOf(plan: Json, before: Json): Json {
  const { security, mode = 'STANDARD', status = 'PUBLISHED', flows, ...rest } = plan;
  const { type, configuration = {} } = isJson(security) ? security : {};
  return {
    ...fieldsOf(before, planFields),
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
