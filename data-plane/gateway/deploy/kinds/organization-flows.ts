import {
  placesInOrganizationFlows,
  readOrganizationFlows,
} from '../../../../proto/definition/shared-flows.ts';
import type { OrganizationFlowsDefinition } from '../../../../proto/model/api/organization-flows.ts';
import { decodeOrganizationFlows } from '../../../../proto/wire/payloads.ts';
import { refuseMissingSecrets } from '../../compile/at-deploy.ts';
import { flowsSeenFrom } from '../../compile/standing.ts';
import { compileOrganizationFlows, type OrganizationFlows } from '../../compile/organization.ts';
import { withPlacesOf } from '../definitions.ts';
import { nackOf } from '../refused.ts';
import { jsonObject, type Kind, type Site } from './kind.ts';

/** What is in service of an organization's flows. */
export interface ServedOrganizationFlows {
  readonly id: string;
  readonly definition: OrganizationFlowsDefinition;
  readonly compiled: OrganizationFlows;
}

/** An organization's flows: compiled once for all APIs of the environment, which are not built again. */
export const organizationFlows: Kind<ServedOrganizationFlows> = {
  read({ id, payload }, site) {
    const written = jsonObject(decodeOrganizationFlows(payload).definition);
    const definition = readOrganizationFlows(written);
    const { expressions, standing } = site.compile;
    const compiled = withPlacesOf(
      () => {
        const placeOf = placesInOrganizationFlows(written);
        // Its steps say in logs that they are the organization's; in the record that is said already.
        return (path) => placeOf(path.replace(/^organizationFlows(?=\[)/, 'flows'));
      },
      () => {
        refuseMissingSecrets(flowsSeenFrom(definition.flows, standing), 'flows', expressions);
        return compileOrganizationFlows(definition, id, site.compile);
      },
    );
    return { id, definition, compiled };
  },
  apply(record, made, site) {
    try {
      made.compiled.start(site);
    } catch (error) {
      return nackOf(record, error, site);
    }
    put(made, site);
    return undefined;
  },
  remove(id, site) {
    if (site.environment.organizationFlows?.id === id) put(undefined, site);
  },
  ids: ({ organizationFlows: served }) => (served === undefined ? [] : [served.id]),
  reach: () => undefined,
};

/** Compiles them again, since the gateway stands elsewhere now: some may be for other gateways. */
export function buildOrganizationFlowsAgain(site: Site): void {
  const { organizationFlows: served } = site.environment;
  if (served?.definition.flows.some(({ tags }) => tags.length > 0) !== true) return;
  const { id, definition } = served;
  const compiled = compileOrganizationFlows(definition, id, site.compile);
  compiled.start(site);
  put({ id, definition, compiled }, site);
}

function put(made: ServedOrganizationFlows | undefined, { environment, released }: Site): void {
  const before = environment.organizationFlows;
  environment.organizationFlows = made;
  if (before !== undefined) released.push(before.compiled);
}
