import { decodeGatewaySettings, type GatewaySettingsPayload } from '../../../../proto/wire/payloads.ts';
import { anywhere } from '../../compile/standing.ts';
import type { Kind } from './kind.ts';

/** Tags and tenant of a fleet: which plans, flows and endpoints are for this gateway. Which APIs are, `sync/` obeys. */
export const gatewaySettings: Kind<GatewaySettingsPayload> = {
  read: ({ payload }) => decodeGatewaySettings(payload),
  apply(_record, { tags, tenant }, { environment }) {
    environment.standing = { tags, tenant };
    return undefined;
  },
  remove(_id, { environment }) {
    environment.standing = anywhere;
  },
  ids: () => [],
  reach(_id, { forSome }, { builds }) {
    for (const id of forSome) builds.add(id);
  },
};
