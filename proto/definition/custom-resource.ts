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
  const spec = { id: hridOf(resource), name: nameOf(resource), ...Object.fromEntries(kept) };
  return { spec, notes, faults: unresolved(spec, 'spec') };
}

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
