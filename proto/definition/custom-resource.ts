import type { FaultDetail } from '../faults/fault.ts';
import { isJson, type Json, type Note } from './opened.ts';
import { hridOf, type KubernetesObject, nameOf, unresolved } from './resources.ts';

/** The spec of an API's custom resource without what only its operator reads. */
export interface OpenedSpec {
  readonly spec: Json;
  /** With places that start with `spec`. */
  readonly notes: readonly Note[];
  readonly faults: readonly FaultDetail[];
}

/**
 * Takes the definition out of a custom resource.
 *
 * An API without an id of its own has the one that the reference's operator forms: `<namespace>-<name>`, the namespace `default` when none
 * is written.
 */
export function openSpec(resource: KubernetesObject): OpenedSpec {
  const written = isJson(resource['spec']) ? resource['spec'] : {};
  const notes: Note[] = [];
  const kept = Object.entries(written).filter(([key]) => {
    if (!kubernetesFields.has(key)) return true;
    notes.push({ path: `spec.${key}`, kind: 'kubernetes', message: 'is for the Kubernetes operator' });
    return false;
  });
  const named = Object.fromEntries(kept);
  const spec = {
    id: hridOf(resource),
    name: nameOf(resource),
    ...named,
    ...withDefaults(resource.kind === 'ApiV4Definition' ? named : {}),
  };
  return { spec, notes, faults: unresolved(spec, 'spec') };
}

/** What the operator fills in: listeners without a type are HTTP, and a group without a name gets one, which is here that of its place. */
function withDefaults({ listeners, endpointGroups }: Json): Json {
  return {
    ...(Array.isArray(listeners) && {
      listeners: listeners.map((listener: unknown) =>
        isJson(listener) && isUnsaid(listener['type']) ? { ...listener, type: 'HTTP' } : listener,
      ),
    }),
    ...(Array.isArray(endpointGroups) && { endpointGroups: withNames(endpointGroups) }),
  };
}

function withNames(groups: readonly unknown[]): readonly unknown[] {
  const known = new Set(
    groups
      .filter(isJson)
      .flatMap((group) => [
        group,
        ...(Array.isArray(group['endpoints']) ? group['endpoints'].filter(isJson) : []),
      ])
      .map(({ name }) => name),
  );
  return groups.map((group, index) => {
    if (!isJson(group) || !isUnsaid(group['name'])) return group;
    let name = `group-${index + 1}`;
    while (known.has(name)) name = `${name}-`;
    known.add(name);
    return { ...group, name };
  });
}

const isUnsaid = (value: unknown): boolean => value === undefined || value === null || value === '';

/** What the operator reads and the definition does not have. */
const kubernetesFields: ReadonlySet<string> = new Set([
  'contextRef',
  'definitionContext',
  'definition_context',
  'notifyMembers',
  'groupRefs',
  'notificationsRefs',
  'consoleNotification',
  'consoleNotificationConfiguration',
  'portalNavigation',
  'hrid',
  'local',
]);
