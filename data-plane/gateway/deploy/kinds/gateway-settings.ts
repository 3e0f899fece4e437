import { decodeGatewaySettings, type GatewaySettingsPayload } from '../../../../proto/wire/payloads.ts';
import { anywhere } from '../../compile/standing.ts';
import type { Kind } from './kind.ts';
import { buildOrganizationFlowsAgain } from './organization-flows.ts';

/** Tags and tenant of a fleet: which plans, flows and endpoints are for this gateway. Which APIs are, `sync/` obeys. */
export const gatewaySettings: Kind<GatewaySettingsPayload> = {
  read: ({ payload }) => decodeGatewaySettings(payload),
  apply(_record, { tags, tenant }, site) {
    site.environment.standing = { tags, tenant };
    buildOrganizationFlowsAgain(site);
    return undefined;
  },
  remove(_id, site) {
    site.environment.standing = anywhere;
    buildOrganizationFlowsAgain(site);
  },
  ids: () => [],
  reach(_id, { forSome }, { builds }) {
    for (const id of forSome) builds.add(id);
  },
};
