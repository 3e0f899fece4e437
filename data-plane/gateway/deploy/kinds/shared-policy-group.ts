import { readSharedPolicyGroup } from '../../../../proto/definition/shared-flows.ts';
import { Fault } from '../../../../proto/faults/fault.ts';
import type { SharedPolicyGroupDefinition } from '../../../../proto/model/api/shared-policy-group.ts';
import { decodeSharedPolicyGroup } from '../../../../proto/wire/payloads.ts';
import type { Kind } from './kind.ts';

/** Shared policy groups: APIs have their steps compiled in, so those that use a changed one are built again. */
export const sharedPolicyGroups: Kind<SharedPolicyGroupDefinition> = {
  read({ payload }) {
    const { id, name, definition } = decodeSharedPolicyGroup(payload);
    return readSharedPolicyGroup({ ...jsonObject(definition), id, name });
  },
  apply(_record, group, { environment }) {
    environment.groups.set(group);
    return undefined;
  },
  remove: (id, { environment }) => environment.groups.delete(id),
  ids: (environment) => environment.groups.ids(),
  reach(id, { groups }, { builds }) {
    for (const api of groups.usersOf(id)) builds.add(api);
  },
};

/** Errors: request.invalid. */
function jsonObject(text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Fault('request.invalid', { detail: 'The definition is not JSON.', cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Fault('request.invalid', { detail: 'The definition is no JSON object.' });
  return json;
}
