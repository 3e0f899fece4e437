import {
  type AddressProfile,
  createGuard,
  createHostList,
  type Guard,
  type Target,
} from '../../proto/process/outbound/guard.ts';
import type { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import type { GatewayConfig } from '../config.ts';

/**
 * Decides which hosts endpoints may lead to; `doors` are ports of this process that they may not, unless `upstream.allow` names them.
 * profile: what else they may, by default whatever a customer's own network has.
 *
 * Errors: config.invalid for an entry that is no name, address, range or URL.
 */
export function guardOf(
  { upstream }: Pick<GatewayConfig, 'upstream'>,
  doors: OwnDoors,
  profile: AddressProfile = 'local',
): Guard {
  const { allow, deny } = upstream;
  return createGuard(profile, { allow, deny, doors, setting: 'upstream' });
}

/** Hosts that a request may choose itself (`upstream.chosenByRequests`). Errors: as {@link guardOf}. */
export function chosenHostsOf({ upstream }: Pick<GatewayConfig, 'upstream'>): (target: Target) => boolean {
  return createHostList(upstream.chosenByRequests, 'upstream.chosenByRequests');
}
