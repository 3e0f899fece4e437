import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { isAbort } from '../../proto/process/lifecycle.ts';
import type { Log } from '../../proto/process/log.ts';
import {
  encodeFrame,
  protocolVersion,
  type Frame,
  type HelloFrame,
  type WelcomeFrame,
} from '../../proto/wire/frames.ts';
import { borderTroubleOf, type BorderTrouble, type createTroubleKeeper } from '../../proto/trust/border.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import type { GatewayReport } from '../../proto/wire/published.ts';
import { demandForm, strangerAnswered } from './bridge-answer.ts';
import { createBackoff } from './backoff.ts';
import { BridgeRefusal, describeFailure, type BridgeClient } from './bridge-client.ts';
import { takeChanges, takeSnapshot } from './download.ts';
import type { Environment } from './environment.ts';
import { createSession, SessionEnd, type SessionHost } from './session.ts';
import type { RefusalReason, SyncMode } from './state.ts';
import { runStream, sendFrame } from './stream.ts';
import type { SyncTimings } from './sync.ts';

/** How the gateway reaches its bridge at the moment; this room writes it, state() reads it. */
export interface Connection {
  mode: SyncMode;
  isConnected: boolean;
  lastError: string | undefined;
  /** Since when it is away, by the monotonic clock; undefined while it is there. */
  awaySinceMs: number | undefined;
  /** Why the bridge does not let this gateway in, as long as that lasts. */
  readonly trouble: ReturnType<typeof createTroubleKeeper>;
}

/** A connection that was never made, with the keeper of its trouble. */
export function createConnection(trouble: Connection['trouble']): Connection {
  return { mode: 'offline', isConnected: false, lastError: undefined, awaySinceMs: undefined, trouble };
}

/** What following a bridge needs. */
export interface FollowOptions {
  readonly client: BridgeClient;
  readonly connection: Connection;
  readonly timings: SyncTimings;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly environments: ReadonlyMap<string, Environment>;
  /** Those that the enrolment named: a welcome may name a thousand more, and none of them is fetched as a file. */
  readonly enrolled: readonly string[];
  readonly report: () => GatewayReport;
  readonly wishedTags: readonly string[];
  readonly retryStore: () => Promise<void>;
  readonly welcomed: (welcome: WelcomeFrame) => void;
  readonly refused: (reason: RefusalReason, detail: string) => void;
}

const heartbeatAnswer = z.object({ bridgeTimeMs: z.number() });
/** A poll that comes back sooner without a change was not the bridge's waiting: somebody's cache, at the worst. */
const idlePollMsMin = 1_000;
const snapshotBytesMax = 1024 ** 3;

/**
 * Dials, follows, dials again until the signal aborts; resolves then.
 *
 * The stream is preferred. When it fails several times in a row (a proxy that knows no WebSocket), the long poll
 * carries the same frames, and the stream is tried again from time to time.
 */
export async function followBridge(options: FollowOptions): Promise<void> {
  const { connection, timings, clock, log, signal } = options;
  const backoff = createBackoff({ firstMs: timings.redialMsFirst, capMs: timings.redialMsCap });
  let streamFailures = 0;
  while (!signal.aborted) {
    const isPolling = streamFailures >= timings.streamFailuresMax;
    const progress = { isWelcome: false, isHeadTaken: false };
    let retryAfterMs: number | undefined;
    let capMs = timings.redialMsCap;
    let wasRefused = false;
    try {
      await downloadMissing(options);
      if (isPolling) await followPolls(options, progress);
      else await followStream(options, progress);
    } catch (error) {
      if (signal.aborted) break;
      retryAfterMs = noteFailure(error, isPolling, options);
      if (isAway(error)) capMs = timings.redialAwayMsCap;
      wasRefused = error instanceof SessionEnd && error.code.startsWith('sync.');
    }
    connection.isConnected = false;
    connection.mode = 'offline';
    // Polling ends by itself to give the stream another chance; one failed chance is enough to poll on.
    if (isPolling) streamFailures = timings.streamFailuresMax - 1;
    else streamFailures = progress.isWelcome ? 0 : streamFailures + 1;
    // A bridge that sends what must be refused earns longer and longer waits, whatever else it sends: each try may
    // cost it and us a whole set.
    if (progress.isHeadTaken && !wasRefused) backoff.reset();
    const waitMs = backoff.nextMs(retryAfterMs, capMs);
    log.debug({ waitMs: Math.round(waitMs) }, 'dialling the bridge again');
    await clock.delay(waitMs, signal);
  }
}

/**
 * Whether nobody was there who could refuse us: then a try costs the other side next to nothing, and what it costs us is the time in
 * which the bridge is back and we wait. A load balancer without a bridge behind it is such a nobody.
 */
function isAway(error: unknown): boolean {
  if (error instanceof SessionEnd) return error.code === 'sync.disconnected' || error.code === 'sync.silent';
  if (error instanceof BridgeRefusal) return error.code === 'sync.foreign_answer' && error.status >= 500;
  return error instanceof Fault && error.code.startsWith('outbound.');
}

interface Progress {
  isWelcome: boolean;
  /** A head was proven (or was the one we serve): this bridge is of use. */
  isHeadTaken: boolean;
}

/** Environments of which nothing is here come as one compressed file; what fails here the stream sends anyway. */
async function downloadMissing(options: FollowOptions): Promise<void> {
  const { client, clock, signal, log, environments, enrolled } = options;
  const session = createSession(hostOf(options, { isWelcome: false, isHeadTaken: false }), undefined);
  for (const name of enrolled) {
    const environment = environments.get(name);
    if (environment === undefined || environment.held().seq > 0 || environment.hasTriedSnapshot) continue;
    environment.hasTriedSnapshot = true;
    environment.gathering.begin();
    try {
      await takeSnapshot(name, session, { client, clock, signal, bytesMax: snapshotBytesMax });
    } catch (error) {
      if (signal.aborted) throw error;
      log.debug({ environment: name, why: describeFailure(error) }, 'no snapshot');
    }
  }
}

async function followStream(options: FollowOptions, progress: Progress): Promise<never> {
  const { client, connection, clock, signal, environments } = options;
  const socket = await client.webSocket('stream', wireLimits.frameBytesMax);
  const send = (frame: Frame): Promise<void> => sendFrame(socket, frame, clock);
  connection.mode = 'stream';
  for (const environment of environments.values()) environment.gathering.begin();
  const session = createSession(hostOf(options, progress), send);
  // A socket that takes nothing is terminated, and that ends the stream.
  const say = (frame: Frame): Promise<void> => send(frame).catch(() => undefined);
  void say(helloOf(options));
  let isBeating = false;
  const beat = (): void => {
    // One on its way says enough.
    if (isBeating) return;
    isBeating = true;
    void say({ kind: 'heartbeat', report: options.report() }).finally(() => (isBeating = false));
  };
  const stopHeartbeats = startHeartbeats(options, beat);
  try {
    const onMalformed = (detail: string): void => options.refused('frame_malformed', detail);
    return await runStream({ socket, session, clock, signal, onMalformed });
  } finally {
    stopHeartbeats();
  }
}

/** Polls every environment until it is time to try a stream again, or one of them fails. */
async function followPolls(options: FollowOptions, progress: Progress): Promise<void> {
  const { client, connection, clock, timings, signal, environments } = options;
  connection.mode = 'poll';
  const untilMs = clock.monotonicMs() + timings.pollEveryMs;
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const beat = (): Promise<void> => postHeartbeat(options);
  const stopHeartbeats = startHeartbeats(options, () => void beat().catch(() => undefined));
  const session = createSession(hostOf(options, progress), undefined);
  const follow = async (environment: Environment): Promise<void> => {
    // The first one is answered at once: that the bridge is there is not known before it answers.
    let waitSeconds = 0;
    while (clock.monotonicMs() < untilMs && !ended.aborted) {
      environment.gathering.begin();
      const before = environment.appliedCount;
      const askedAtMs = clock.monotonicMs();
      await takeChanges(environment.held(), session, { client, waitSeconds, signal: ended });
      if (environment.appliedCount > before) await beat();
      else if (waitSeconds > 0)
        await clock.delay(Math.max(0, askedAtMs + idlePollMsMin - clock.monotonicMs()), ended);
      waitSeconds = timings.pollWaitSeconds;
    }
  };
  try {
    const polls = [...environments.values()].map((environment) =>
      follow(environment).catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    );
    // All of them have to end before anybody else gives frames to these environments.
    const outcomes = await Promise.allSettled(polls);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected' && !isAbort(outcome.reason));
    if (failed?.status === 'rejected') throw failed.reason;
  } finally {
    stopHeartbeats();
  }
}

function hostOf(
  { connection, client, clock, environments, welcomed, refused, log }: FollowOptions,
  progress: Progress,
): SessionHost {
  const settled = (): void => {
    const over = connection.trouble.clear();
    if (over !== undefined) log.info({ code: over.code, since: over.since }, 'the bridge is followed again');
  };
  const returned = (): void => {
    const { awaySinceMs } = connection;
    connection.awaySinceMs = undefined;
    if (awaySinceMs === undefined) return;
    const awayMs = Math.round(clock.monotonicMs() - awaySinceMs);
    log.info({ awayMs, bridge: client.url }, 'the bridge is back');
  };
  return {
    welcomed(welcome) {
      progress.isWelcome = true;
      connection.isConnected = true;
      connection.lastError = undefined;
      returned();
      // A welcome proves nothing of what follows it.
      if (connection.trouble.present()?.code !== 'sync.refused') settled();
      welcomed(welcome);
    },
    proven() {
      progress.isHeadTaken = true;
      settled();
    },
    environment: (name) => environments.get(name),
    refused,
  };
}

function helloOf({ report, environments, wishedTags }: FollowOptions): HelloFrame {
  const { instance, version, hostname, startedAtMs, policies } = report();
  return {
    kind: 'hello',
    protocol: protocolVersion,
    instance,
    version,
    hostname,
    startedAtMs,
    policies,
    environments: Array.from(environments.values(), (each) => each.held()),
    tags: wishedTags,
  };
}

function startHeartbeats({ clock, timings, retryStore, log }: FollowOptions, beat: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(timings.heartbeatMs, () => {
      beat();
      retryStore().catch((error: unknown) => log.warn({ err: error }, 'the store could not be written'));
      next();
    });
  };
  next();
  return () => cancel();
}

async function postHeartbeat({ client, report }: FollowOptions): Promise<void> {
  const body = encodeFrame({ kind: 'heartbeat', report: report() });
  const headers = { 'content-type': 'application/vnd.isthmus.frames' };
  const answer = await client.request('heartbeat', { method: 'POST', headers, body, timeoutMs: 20_000 });
  await demandForm(answer, { statuses: [200], type: 'application/json' });
  if (!heartbeatAnswer.safeParse(await answer.json()).success) throw strangerAnswered(answer);
}

/** Says what went wrong, once per kind of trouble, and how long the bridge asks us to wait. */
function noteFailure(
  error: unknown,
  isPolling: boolean,
  { connection, client, clock, log }: FollowOptions,
): number | undefined {
  const message = describeFailure(error);
  const isKnownEnd = error instanceof SessionEnd || error instanceof BridgeRefusal;
  const trouble = troubleOf(error, isPolling);
  if (trouble !== undefined) {
    const { code, text, remedy } = trouble;
    if (connection.trouble.set(trouble))
      log.error({ code, why: message, bridge: client.url, remedy }, `${text} What is here stays in service`);
  } else if (!isKnownEnd && !(error instanceof Fault)) {
    log.error({ err: error }, 'following the bridge failed; what is here stays in service');
  } else if (isKnownEnd && anew.has(error.code)) {
    log.info({ code: error.code, why: message }, 'the connection to the bridge begins anew');
  } else if (message !== connection.lastError) {
    connection.awaySinceMs ??= clock.monotonicMs();
    log.warn({ why: message }, 'the bridge is away; what is here stays in service');
  }
  connection.lastError = message;
  return isKnownEnd ? error.retryAfterMs : undefined;
}

/** Ends that the next dial settles: the bridge is there, and wants a claim, takes in another grant, or sends the whole set. */
const anew: ReadonlySet<string> = new Set(['bridge.seat_required', 'bridge.grant_changed', 'sync.resync']);

function troubleOf(error: unknown, isPolling: boolean): BorderTrouble | undefined {
  if (error instanceof SessionEnd || (error instanceof Fault && error.code.startsWith('outbound.')))
    return borderTroubleOf(error.code);
  if (!(error instanceof BridgeRefusal)) return undefined;
  // A proxy that knows no WebSocket answers the stream by itself and lets polls pass; one without a bridge behind it says so by 5xx.
  const mayPass = error.code === 'sync.foreign_answer' && (!isPolling || error.status >= 500);
  return mayPass ? undefined : borderTroubleOf(error.code, error.status);
}
