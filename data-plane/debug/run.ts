import type { SecretReferences } from '../../proto/expression/scope.ts';
import {
  type DebugJob,
  debugLimits,
  type DebugReport,
  type DebugWords,
} from '../../proto/model/records/debug-run.ts';
import { createRedactor } from '../../proto/model/redaction.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import { type GatewayConfig, gatewayConfigSchema, secretParametersOf } from '../config.ts';
import { mayNotCall } from '../endpoints/described.ts';
import type { Call } from '../gateway/call/call.ts';
import type { RecordTarget } from '../gateway/call/records.ts';
import type { SetRecord } from '../gateway/deploy/change.ts';
import type { AccessFacts } from '../report/facts.ts';
import type { LogFacts } from '../report/logs/log-facts.ts';
import { createMasks } from '../report/logs/log-masks.ts';
import { openServing, type Serving } from '../serving.ts';
import { callOnce, connectTo } from './caller.ts';
import { type ObservedTrail, observedWays } from './observed-trail.ts';
import { reportOf } from './report.ts';

/** What the runner allows its run. */
export interface RunWish {
  readonly job: DebugJob;
  /** Until the answer begins. */
  readonly answerMsMax: number;
  /** How definitions get out: as the control plane's own calls for tenants do. */
  readonly outbound: Pick<GatewayConfig['outbound'], 'allow' | 'noProxy' | 'caFile' | 'connectMsMax'> & {
    readonly proxy: { readonly url?: string | undefined };
  };
  /** Where the run may go as a gateway beside it may; absent it goes to public addresses, and to what `outbound.allow` names. */
  readonly asGateway?: { readonly allow: readonly string[]; readonly deny: readonly string[] } | undefined;
  readonly version: string;
}

/** Of an answer the run reads no more. */
const answerBytesMax = 1_048_576;
/** Of a body that a policy reads whole: nobody gains by more in a trial. */
const bufferedBytesMax = 4_194_304;
/** How much longer than until it begins an answer may flow. */
const flowMsMax = 500;
/** What is over is recorded at once. */
const recordMsMax = 1_000;
/** What stands for a secret that only gateways know. */
const unknownSecret = 'unknown-secret';

/**
 * Serves the records of a job on a port of this machine, sends its one request, and says what became of it.
 *
 * It leaves all open that it opened: the process is made for one run and ends after it.
 */
export async function runDebug(wish: RunWish): Promise<DebugWords> {
  const { job, answerMsMax, asGateway, version } = wish;
  const notes: string[] = [];
  const run = new Run();
  const config = configFor(wish);
  const log = createLog({ name: 'debug', level: 'silent' });
  const serving = await openServing({
    config,
    log,
    clock: systemClock,
    lifecycle: createLifecycle({ log, clock: systemClock, closeMsMax: 1 }),
    metrics: createMetrics(),
    doors: new OwnDoors(),
    gateway: 'debug',
    version,
    instead: {
      profile: asGateway === undefined ? 'public' : 'local',
      records: run.records,
      secrets: unknownSecrets(notes),
      ways: observedWays(Buffer.from(job.request.body ?? ''), run),
    },
  });
  const refused = take(wish, serving);
  if (refused !== undefined) return { kind: 'refused', reason: refused };
  const { ports } = await serving.listen({ tls: new Map() });
  const socket = await connectTo([...ports.values()][0] ?? 0);
  run.port = socket.localPort;
  const msMax = answerMsMax + flowMsMax;
  const after = (ms: number, then: () => void): (() => void) => systemClock.after(ms, then);
  const { how, statusCode } = await callOnce(socket, job, { bytesMax: answerBytesMax, msMax, after });
  if (how === 'long')
    notes.push(`The answer was longer than ${answerBytesMax} bytes, and the run left it there.`);
  if (how === 'late') notes.push(`The answer was not whole after ${msMax} ms, and the run left it there.`);
  const unrecorded = Promise.withResolvers<undefined>();
  after(recordMsMax, () => unrecorded.resolve(undefined));
  const facts = await Promise.race([run.recorded, unrecorded.promise]);
  if (facts === undefined) return { kind: 'ran', report: withoutRecord(notes, statusCode) };
  const redactor = createRedactor(secretParametersOf(config));
  const masksOf = createMasks({ redactor, settings: config.report.logs });
  const report = reportOf({ ...facts, trail: run.trail, notes }, masksOf);
  const isRefused =
    asGateway === undefined && JSON.stringify([report.steps, report.notes]).includes('may not be called');
  return {
    kind: 'ran',
    report: { ...report, notes: isRefused ? [whereRunsGo, ...report.notes] : report.notes },
  };
}

/** The one request of a run, as far as it has come. */
class Run {
  /** From where it comes: on this machine somebody else may find the port. */
  port: number | undefined = undefined;
  trail: ObservedTrail | undefined = undefined;
  readonly #recorded = Promise.withResolvers<Recorded>();
  #requestId: string | undefined = undefined;
  #log: LogFacts | undefined = undefined;

  readonly isOurs = ({ exchange: { request } }: Call): boolean => request.remotePort === this.port;

  readonly onBegun = (trail: ObservedTrail, { requestId }: Call): void => {
    this.trail = trail;
    this.#requestId = requestId;
  };

  get recorded(): Promise<Recorded> {
    return this.#recorded.promise;
  }

  readonly records: RecordTarget = {
    prepare: () => undefined,
    recorder: () => ({
      log: (said) => {
        if (said.requestId === this.#requestId) this.#log = said;
      },
      write: (access) => {
        if (access.requestId === this.#requestId) this.#recorded.resolve({ access, log: this.#log });
        return undefined;
      },
    }),
  };
}

/** What is written of a request. */
interface Recorded {
  readonly access: AccessFacts;
  readonly log: LogFacts | undefined;
}

/** The engine refused it, or its path is nobody's. */
const withoutRecord = (notes: readonly string[], statusCode: number | undefined): DebugReport => ({
  steps: [],
  ...(statusCode !== undefined && { response: { statusCode, headers: [] } }),
  notes: [
    ...notes.slice(0, debugLimits.notesMax - 1),
    'The request was refused before any API had it: its path or its head is not in order.',
  ],
  totalUs: 0,
});

/** Takes the records into service; why they are refused. */
function take(
  { job: { organization, environment, records }, asGateway }: RunWish,
  { deployments }: Serving,
): string | undefined {
  const set = records.map(({ kind, id, payload }): SetRecord => ({
    kind,
    id,
    seq: 1,
    revision: 'draft',
    payload: Buffer.from(payload, 'base64'),
  }));
  const nacks = deployments.apply({ organization, environment, seq: 1, isFull: true, set, removed: [] });
  if (nacks.length === 0) return undefined;
  const reasons = nacks.map(({ reason }) => reason).join(' ');
  if (asGateway !== undefined || !reasons.includes(mayNotCall)) return reasons.slice(-4_096);
  return `${reasons.replaceAll(mayNotCall, 'a debug run may not call')}. ${whereRunsGo}`.slice(-4_096);
}

/** Of an address that is refused the gateway names settings of its own, which a run has not. */
const whereRunsGo =
  'A debug run goes to public addresses, and to what the setting outbound.allow of the control plane names; gateways go by settings of their own.';

/** What somebody tries goes by the defaults of a gateway, but for what bounds it. */
function configFor({ answerMsMax, outbound: { proxy, ...outbound }, asGateway }: RunWish): GatewayConfig {
  return gatewayConfigSchema.parse({
    listen: {
      host: '127.0.0.1',
      port: 0,
      eventLoopLagMsMax: 0,
      // A trial may say by X-Forwarded-For from where it comes.
      trustedProxies: ['127.0.0.1'],
    },
    request: { answerMsMax, bufferedBytesMax },
    upstream: asGateway ?? { allow: outbound.allow },
    outbound: { ...outbound, ...(proxy.url !== undefined && { proxy: { url: proxy.url } }) },
    // The first script waits for its thread, which has to start.
    policy: { js: { threadsMax: 1, waitMsMax: answerMsMax } },
    report: {
      enabled: false,
      steps: { sampledShare: 1 },
      logs: { bodyBytesMax: debugLimits.shownBodyBytesMax, excludedContentTypes: [] },
    },
  });
}

/** No secret of a gateway is here; who reads one is told what stands for it. */
function unknownSecrets(notes: string[]): SecretReferences {
  return {
    get(path) {
      const note = `The secret "${path}" is known to gateways alone: "${unknownSecret}" stands for it in this run.`;
      if (!notes.includes(note)) notes.push(note.slice(0, debugLimits.shownCharsMax));
      return { value: unknownSecret };
    },
  };
}
