import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import { createUpstreams } from '../../../data-plane/endpoints/upstreams.ts';
import {
  createDeployments,
  type Deployments,
  type DeploymentsOptions,
} from '../../../data-plane/gateway/deploy/deployments.ts';
import { noCallouts } from '../../../data-plane/callouts.ts';
import { createMemoryCounters } from '../../../data-plane/limits/memory.ts';
import { createEngine } from '../../../data-plane/serving.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createGuard } from '../../../proto/process/outbound/guard.ts';
import { kitGround } from './policies.ts';
import { quietSecurityHost } from './security.ts';

/** Deployments without a listener, records and calls: for what becomes of changes. Closed with the test. */
export function openDeployments(
  t: Pick<TestContext, 'after'>,
  wish: Partial<Pick<DeploymentsOptions, 'build' | 'kinds' | 'keysSeenMax'>> = {},
): Deployments {
  const guard = createGuard('local', { allow: [], setting: 'upstream' });
  const settings = { upstream: { dnsTtlMs: 0, connectionAgeMsMax: 0 } };
  const upstreams = createUpstreams(createEngine(), settings, guard);
  const deployments = createDeployments({
    guard,
    upstreams,
    host: {
      clock: systemClock,
      counters: createMemoryCounters({ windowsMax: 1, clock: systemClock }),
      outbound: noCallouts,
      ground: kitGround,
    },
    security: quietSecurityHost(),
    records: undefined,
    log: createLog({ name: 'gateway', level: 'silent' }),
    keysSeenMax: 1,
    streamMsMax: 0,
    onThrown: assert.ifError,
    ...wish,
  });
  t.after(() => {
    deployments.close();
    return upstreams.close(0);
  });
  return deployments;
}
