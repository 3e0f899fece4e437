import { readApi } from '../../../proto/definition/read.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { withoutSecrets } from '../../../proto/model/secrets/scrub.ts';
import { apiOwner } from '../apis/api-gate.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { definitionFields } from '../apis/definition.ts';
import type { Change } from '../desk.ts';
import type { PlanRow } from './plans.store.ts';

/**
 * Judges a plan that people are about to subscribe to as its API's deployment will: a key that is none, a resource that the API has not.
 *
 * Only what is said of the plan counts, since the rest of the API may still be a draft. Errors: request.invalid, by paths in the plan.
 */
export async function demandRunnable(now: Change, api: ApiRow, plan: PlanRow): Promise<void> {
  const { definition, secrets } = await now.secrets.open(managementShape(api, [plan]), apiOwner(api.id));
  const details = faultsOf(() => withoutSecrets(secrets, () => readApi(definition))).flatMap(
    ({ path, message }) => (path.startsWith(inPlan) ? [{ path: path.slice(inPlan.length), message }] : []),
  );
  if (details.length > 0)
    throw new Fault('request.invalid', {
      details,
      hint: 'Gateways could not run this plan; as long as it is in STAGING it may be as it likes.',
    });
}

const inPlan = 'plans[0].';

function faultsOf(read: () => unknown): Fault['details'] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') return error.details;
    throw error;
  }
}

/** The API with its plans as one object in the management API's spelling, so that faults name the paths people wrote. */
export function managementShape(api: ApiRow, plans: readonly PlanRow[]): unknown {
  const written = JSON.parse(api.definition) as Record<string, unknown>;
  const definition = Object.fromEntries(
    Object.keys(definitionFields)
      .filter((name) => written[name] !== undefined)
      .map((name) => [name, written[name]]),
  );
  return {
    ...definition,
    id: api.id,
    name: api.name,
    apiVersion: api.api_version,
    definitionVersion: 'V4',
    tags: JSON.parse(api.tags) as unknown,
    plans: plans.map((plan) => {
      const { security, flows, tags, selectionRule } = JSON.parse(plan.definition) as Record<string, unknown>;
      return {
        id: plan.id,
        name: plan.name,
        mode: plan.mode,
        status: plan.status,
        order: plan.plan_order,
        security,
        flows: flows ?? [],
        ...(tags === undefined ? {} : { tags }),
        ...(selectionRule === undefined ? {} : { selectionRule }),
      };
    }),
  };
}
