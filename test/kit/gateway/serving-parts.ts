import { onlyServer } from '../../../data-plane/servers/settings.ts';
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import { createGuard } from '../../../proto/process/outbound/guard.ts';
import { createUpstreams } from '../../../data-plane/endpoints/upstreams.ts';
import { Deadlines } from '../../../data-plane/gateway/call/deadlines.ts';
import { createDeployments } from '../../../data-plane/gateway/deploy/deployments.ts';
import { createForwarding } from '../../../data-plane/gateway/call/forwarded.ts';
import type { PolicyBuilder } from '../../../data-plane/gateway/compile/step.ts';
import { createHops } from '../../../data-plane/gateway/call/hops.ts';
import { createRequestIds } from '../../../data-plane/gateway/call/request-ids.ts';
import { createServe } from '../../../data-plane/gateway/call/serve.ts';
import { createStrays } from '../../../data-plane/gateway/call/strays.ts';
import type { RecordTarget } from '../../../data-plane/gateway/call/records.ts';
import type { Ways } from '../../../data-plane/gateway/call/ways.ts';
import { createThrownTeller } from '../../../data-plane/gateway/errors/thrown.ts';
import { limitDefaults } from '../../../data-plane/http/conformance/stage.ts';
import { createEngine } from '../../../data-plane/http/engine.ts';
import { noCallouts } from '../../../data-plane/callouts.ts';
import { createMemoryCounters } from '../../../data-plane/limits/memory.ts';
import type { Policy } from '../../../data-plane/policies/policy.ts';
import { createTraffic } from '../../../data-plane/traffic.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createLogHost } from '../../../data-plane/gateway/logs/call-log.ts';
import { reportSettings } from '../../../data-plane/report/settings.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { encodeApi } from '../../../proto/wire/payloads.ts';
import { apiDefinition, flow } from './gateway.ts';
import { startBackend } from '../engine/raw-peer.ts';
import { kitGround } from './policies.ts';
import { quietSecurityHost } from './security.ts';

const guard = createGuard('local', { allow: [], setting: 'upstream' });

/** Bounds, and the stages of requests; default: those of this version. */
export interface ServingWish {
  readonly bodyBytesMax?: number;
  /** Of a request until it is answered. Default: more than a busy machine needs. */
  readonly timeoutMs?: number;
  readonly ways?: Ways;
  /** Of a backend in place of the test's own. */
  readonly backendPort?: number | undefined;
  /** The longest body that the engine takes. Default: 16 MiB. */
  readonly requestBytesMax?: number;
}

/**
 * What a gateway serves with, around policies that no configuration could make: one API per policy, or per list of them, under its
 * name, and a backend that the test plays.
 */
export async function startServingParts(
  t: Pick<TestContext, 'after'>,
  policies: Readonly<Record<string, Policy | readonly Policy[]>>,
  wish: ServingWish = {},
) {
  const { bodyBytesMax = 1_000, timeoutMs = 10_000, requestBytesMax = 16 * 1024 * 1024, ways } = wish;
  const listOf = (name: string): readonly Policy[] => [policies[name] ?? []].flat();
  const build: PolicyBuilder = (_step, _host, { api, at }) =>
    listOf(api)[Number(/\d+(?=\]$)/.exec(at))] ?? {};
  const backend = await startBackend(t);
  const logged: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  };
  const log = createLog({ name: 'gateway', level: 'error', destination });
  const errorKeys: string[] = [];
  const records: RecordTarget = {
    recorder: () => ({
      write({ errorKey }) {
        if (errorKey !== undefined) errorKeys.push(errorKey);
        return undefined;
      },
      log: () => undefined,
    }),
    prepare: () => undefined,
  };
  const metrics = createMetrics();
  const traffic = createTraffic(metrics);
  const onThrown = createThrownTeller({ log, clock: systemClock, count: traffic.onThrown });
  const engine = createEngine(onThrown);
  const upstreams = createUpstreams(engine, { upstream: { dnsTtlMs: 0, connectionAgeMsMax: 0 } }, guard);
  const counters = createMemoryCounters({ windowsMax: 10, clock: systemClock });
  const deployments = createDeployments({
    guard,
    upstreams,
    host: { clock: systemClock, counters, outbound: noCallouts, ground: kitGround },
    records,
    log,
    security: quietSecurityHost(),
    keysSeenMax: 10,
    streamMsMax: 0,
    onThrown,
    build,
  });
  const set = Object.keys(policies).map((name, at) => {
    const step = ['transform-headers', {}] as const;
    const flows = [flow('/', { request: listOf(name).map(() => step) })];
    const definition = apiDefinition(name, `http://127.0.0.1:${wish.backendPort ?? backend.port}`, { flows });
    const payload = encodeApi({ id: name, name, revision: '1', definition: JSON.stringify(definition) });
    return { kind: 'api', id: name, seq: at + 1, revision: '1', payload } as const;
  });
  const tenant = { organization: 'O', environment: 'E' };
  const nacks = deployments.apply({ ...tenant, seq: 99, isFull: true, set, removed: [] });
  assert.deepEqual(nacks, []);
  const nextRequestId = createRequestIds();
  const forwarding = createForwarding([]);
  const serve = createServe({
    match: deployments.matchOn(onlyServer),
    hasConfiguration: deployments.hasConfiguration,
    nextRequestId,
    hops: createHops('secret'),
    strays: createStrays({ target: undefined, environments: () => [], nextRequestId, clientOf: () => '' }),
    deadlines: new Deadlines({ clock: systemClock, afterMs: timeoutMs, graceMs: 10, onThrown }),
    forwarding,
    bodyBytesMax,
    logs: createLogHost(reportSettings.parse({}).logs, () => undefined),
    trails: undefined,
    streams: deployments.streams,
    onThrown,
    onWarning: () => undefined,
    backends: { isAnyDown: false, heard: () => undefined },
    onAnswer: traffic.on(onlyServer).onAnswer,
    onUnrouted: undefined,
    ways,
  });
  const server = await engine.listen({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    limits: { ...limitDefaults, bodyBytesMax: requestBytesMax },
    target: { mergeSlashes: false, encodedSlash: 'keep' },
    onExchange: serve,
    onRefusal: undefined,
  });
  t.after(async () => {
    await server.close(0);
    deployments.close();
    await upstreams.close(0);
  });
  const removeAll = (): void =>
    void deployments.apply({ ...tenant, seq: 100, isFull: true, set: [], removed: [] });
  /** `errorKeys`: of the records so far, those that have one. `removeAll`: nothing is served any more. */
  return { backend, logged, errorKeys, metrics, upstreams, removeAll, port: server.port };
}
