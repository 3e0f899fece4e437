import { Fault } from '../../../proto/faults/fault.ts';
import { type Actor, can } from '../../access/actor.ts';
import { change, type Desk } from '../desk.ts';
import { patched, type Patch } from '../patch.ts';
import { checkIfMatch } from '../route.ts';
import { type ApiRef, lockedApi, resourceOf } from './api-gate.ts';
import { updateApiSchema, type ApiView } from './api-shape.ts';
import { oneView, updateLocked } from './apis.ts';

/** What of an API a PATCH may touch. */
const patchable = [
  'name',
  'description',
  'apiVersion',
  'visibility',
  'labels',
  'tags',
  'lifecycleState',
  'categories',
  'groups',
  'analytics',
  'failover',
  'flowExecution',
  'flows',
  'services',
  'resources',
  'endpointGroups',
  'allowedInApiProducts',
  'allowMultiJwtOauth2Subscriptions',
  'disableMembershipNotifications',
  'properties',
  'responseTemplates',
  'listeners',
];

/**
 * Changes a part of an API, as reading it, changing that and putting it back would: who may not read all of it cannot.
 *
 * Errors: as of `updateApi`; jsonPatch.testFailed; request.forbidden.
 */
export function patchApi(
  desk: Desk,
  actor: Actor,
  input: ApiRef & { readonly patch: Patch; readonly isDryRun: boolean; readonly ifMatch: string | undefined },
): Promise<ApiView> {
  const { at, id, patch, isDryRun } = input;
  return change(desk, { actor, at, isDryRun }, async (now) => {
    const before = await lockedApi(now, id);
    if (!can(actor, 'api-gateway-definition:read', resourceOf(before)))
      throw new Fault('request.forbidden', {
        internal: `${actor.username} may not read what is inside of API ${id}`,
      });
    checkIfMatch(input.ifMatch, before.updated_at_ms);
    const wish = patched(await oneView(now.trx, actor, before), patch, {
      schema: updateApiSchema,
      patchable,
    });
    return oneView(now.trx, actor, await updateLocked(now, before, wish));
  });
}
