import { createGuard, type Guard } from '../../proto/process/outbound/guard.ts';
import type { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import type { GatewayConfig } from '../config.ts';

/**
 * Decides which hosts endpoints may lead to; `doors` are ports of this process that they may not, unless `upstream.allow` names them.
 *
 * Errors: config.invalid for an entry that is no name, address, range or URL.
 */
export function guardOf({ upstream }: Pick<GatewayConfig, 'upstream'>, doors: OwnDoors): Guard {
  return createGuard('local', { ...upstream, doors, setting: 'upstream' });
}
