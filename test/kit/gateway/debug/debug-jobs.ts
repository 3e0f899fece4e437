import { type ControlPlaneConfig, controlPlaneConfigSchema } from '../../../../control-plane/config.ts';
import { createDebugRuns, type DebugRunsParts } from '../../../../deploy/debug/debug-runs.ts';
import { readApi } from '../../../../proto/definition/read.ts';
import type {
  DebugEnd,
  DebugJob,
  DebugReport,
  DebugRequest,
  DebugRuns,
} from '../../../../proto/model/records/debug-run.ts';
import { systemClock } from '../../../../proto/process/clock.ts';
import { createLifecycle } from '../../../../proto/process/lifecycle.ts';
import { createLog } from '../../../../proto/process/log.ts';
import { encodeApi } from '../../../../proto/wire/payloads.ts';
import { apiDefinition } from '../gateway.ts';

const logging = {
  mode: { entrypoint: true, endpoint: true },
  phase: { request: true, response: true },
  content: { headers: true, payload: true },
};

/** A job for the API `orders` at /orders, with one backend. */
export function debugJob(
  target: string,
  {
    flows = [],
    request = {},
    changes = {},
  }: {
    readonly flows?: readonly object[];
    readonly request?: Partial<DebugRequest>;
    readonly changes?: Readonly<Record<string, unknown>>;
  } = {},
): DebugJob {
  const { api } = readApi(
    apiDefinition('orders', target, { flows, analytics: { enabled: true, logging }, ...changes }),
  );
  const payload = encodeApi({
    id: 'orders',
    name: 'orders',
    revision: 'draft',
    definition: JSON.stringify(api),
  });
  return {
    organization: 'org',
    environment: 'env',
    records: [{ kind: 'api', id: 'orders', payload: Buffer.from(payload).toString('base64') }],
    request: { method: 'GET', path: '/', headers: {}, ...request },
    contextPath: '/orders',
    host: 'localhost',
  };
}

/** Runs of a control plane with these settings; they end with the test. */
export function startDebugRuns(
  t: { after(end: () => Promise<void>): void },
  settings: {
    readonly debug?: Partial<ControlPlaneConfig['debug']>;
    readonly allow?: readonly string[];
    /** Runs go where a gateway beside them may; ports that none leads to. */
    readonly deny?: readonly string[];
  } = {},
): DebugRuns {
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const { debug, outbound } = controlPlaneConfigSchema.parse({
    // Other tests take their share of the machine meanwhile.
    debug: { runMsMax: 30_000 },
    outbound: { allow: settings.allow ?? [] },
  });
  const parts: DebugRunsParts = {
    clock: systemClock,
    log,
    lifecycle,
    config: { debug: { ...debug, ...settings.debug }, outbound },
  };
  const { deny } = settings;
  return createDebugRuns(parts, () => (deny === undefined ? undefined : { allow: [], deny }));
}

/** The report of a run that came to its end. */
export function reportOf(end: DebugEnd | 'busy'): DebugReport {
  if (end !== 'busy' && end.kind === 'ran') return end.report;
  throw new Error(`no report: ${JSON.stringify(end)}`);
}
