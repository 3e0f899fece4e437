import { readSharedPolicyGroup } from '../../../../proto/definition/shared-flows.ts';
import type { SharedPolicyGroupDefinition } from '../../../../proto/model/api/shared-policy-group.ts';
import { decodeSharedPolicyGroup } from '../../../../proto/wire/payloads.ts';
import { refuseMissingSecrets } from '../../compile/at-deploy.ts';
import { jsonObject, type Kind } from './kind.ts';

/** Shared policy groups: APIs have their steps compiled in, so those that use a changed one are built again. */
export const sharedPolicyGroups: Kind<SharedPolicyGroupDefinition> = {
  read({ payload }, { compile }) {
    const { id, name, definition } = decodeSharedPolicyGroup(payload);
    const group = readSharedPolicyGroup({ ...jsonObject(definition), id, name });
    refuseMissingSecrets(group.steps, 'steps', compile.expressions);
    return group;
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
