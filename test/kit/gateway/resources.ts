import type { TestContext } from 'node:test';

import { noCaches } from '../../../data-plane/caches.ts';
import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import { createDirectories } from '../../../data-plane/directories.ts';
import type { PolicyHost } from '../../../data-plane/policies/policy.ts';
import { createResources, servedBy } from '../../../data-plane/resources/index.ts';
import { createGuard } from '../../../proto/process/outbound/guard.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { openOutbound } from './security.ts';

/** A resource of an API as a test writes it down. */
export interface ResourceWish {
  readonly name: string;
  readonly type: string;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** What is left out is as on an ordinary gateway. */
interface ResourcesWish {
  readonly caFile?: string;
  readonly outbound?: PolicyHost['outbound'];
}

/** Resources at work, as an API has them that may call this machine. */
export function startResources(
  t: Pick<TestContext, 'after'>,
  wishes: readonly ResourceWish[],
  { caFile, outbound = openOutbound(t) }: ResourcesWish = {},
): { readonly clock: FakeClock; readonly resource: PolicyHost['resource'] } {
  const clock = createFakeClock();
  const guard = createGuard('local', { allow: ['127.0.0.1', 'localhost'], setting: 'upstream' });
  const config = gatewayConfigSchema.parse({ outbound: { caFile } });
  const resources = createResources(
    wishes.map((wish) => ({ ...wish, enabled: true })),
    {
      clock,
      outbound,
      guard,
      caches: noCaches,
      directories: createDirectories({ config, guard, clock }),
      namespace: 'o:e:a',
      revision: () => '1',
    },
  );
  for (const resource of resources.values()) resource.start?.();
  t.after(() => {
    for (const resource of resources.values()) resource.release?.();
  });
  return { clock, resource: servedBy(resources) };
}
