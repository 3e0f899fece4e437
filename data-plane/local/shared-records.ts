import { isJson, type Json } from '../../proto/definition/opened.ts';
import {
  hridOf,
  type KubernetesObject,
  nameOf,
  type Objects,
  resolved,
} from '../../proto/definition/resources.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import { encodeOrganizationFlows, encodeSharedPolicyGroup } from '../../proto/wire/payloads.ts';
import type { LocalRecord } from './records.ts';

/** A shared policy group as it is written; whether it can run the gateway says when it takes the record. */
export function groupRecord(
  { id, name, ...rest }: Json & { readonly id: string },
  place: Pick<LocalRecord, 'file' | 'document' | 'at'>,
): LocalRecord {
  const payload = encodeSharedPolicyGroup({
    id,
    name: (typeof name === 'string' && name !== '' ? name : id).slice(0, wireLimits.nameCharsMax),
    definition: JSON.stringify(rest),
  });
  return { kind: 'shared-policy-group', id, payload, ...place };
}

/** The organization's flows as they are written: an object, or the list of flows alone. */
export function organizationFlowsRecord(
  written: Json | readonly unknown[],
  { organization, file }: { readonly organization: string; readonly file: string },
): LocalRecord {
  const isList = Array.isArray(written);
  const definition = JSON.stringify(isList ? { flows: written } : written);
  const payload = encodeOrganizationFlows({ id: organization, definition });
  const at = { from: isList ? 'flows' : '', to: 'organizationFlows' };
  return { kind: 'organization-flows', id: organization, payload, file, at };
}

/** The group of a custom resource, by the id that steps of custom resources name. Errors: Error. */
export function groupOfObject(
  object: KubernetesObject,
  objects: Objects,
  place: Pick<LocalRecord, 'file' | 'document'>,
): LocalRecord {
  const { spec } = resolved(object, objects);
  if (!isJson(spec)) throw new Error('spec is required: it holds the shared policy group');
  // Which control plane the operator speaks to is not this gateway's.
  const { crossId = hridOf(object), name = nameOf(object), contextRef: _contextRef, ...rest } = spec;
  if (typeof crossId !== 'string' || crossId === '' || crossId.length > wireLimits.idCharsMax)
    throw new Error(`spec.crossId must be a text of at most ${wireLimits.idCharsMax} characters`);
  return groupRecord({ ...rest, id: crossId, name }, place);
}
