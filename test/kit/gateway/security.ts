import type { TestContext } from 'node:test';

import { noCaches } from '../../../data-plane/caches.ts';
import { createCallouts, noCallouts } from '../../../data-plane/callouts.ts';
import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import type { Cache } from '../../../data-plane/policies/served.ts';
import type { GatewaySecurity } from '../../../data-plane/security/security.ts';
import { securityHostOf } from '../../../data-plane/serving.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { OwnDoors } from '../../../proto/process/outbound/own-doors.ts';
import { createLog } from '../../../proto/process/log.ts';

/** What plan securities use where no key is looked for and nobody is called. */
export function quietSecurityHost(): GatewaySecurity {
  return securityHostOf(gatewayConfigSchema.parse({ apiKey: { header: '', parameter: '' } }), {
    clock: systemClock,
    log: createLog({ name: 'gateway', level: 'silent' }),
    outbound: noCallouts,
  });
}

/** What fetches keys, where calls may lead as on a gateway without settings. */
export function openOutbound(t: Pick<TestContext, 'after'>): GatewaySecurity['outbound'] {
  const callouts = createCallouts(
    gatewayConfigSchema.parse({}),
    { onReload: () => undefined },
    { doors: new OwnDoors() },
  );
  t.after(() => callouts.close());
  return callouts;
}

/** A cache that keeps nothing, and says how long it would. */
export function emptyCache(lifeMsMax: number): Cache {
  return { ...noCaches.bounds, lifeMsMax, get: () => 'nothing', set: () => undefined };
}
