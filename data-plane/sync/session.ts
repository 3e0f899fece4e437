import type { Frame, WelcomeFrame } from '../../proto/wire/frames.ts';
import type { Environment, HeadOutcome } from './environment.ts';
import type { RefusalReason } from './state.ts';

/** Ends a connection on purpose; the caller dials again. */
export class SessionEnd extends Error {
  override readonly name = 'SessionEnd';
  /** A bridge's close code, or `sync.refused`, `sync.resync`, `sync.silent`. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, reason: string, retryAfterMs?: number) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a session works on, the same for every connection. */
export interface SessionHost {
  /** Tells what was granted; makes the environments that are new. */
  welcomed(welcome: WelcomeFrame): void;
  /** A head was taken: this bridge is of use. */
  proven(): void;
  environment(environment: string): Environment | undefined;
  refused(reason: RefusalReason, detail: string): void;
}

/** The meaning of the bridge's frames, the same over stream, poll and snapshot. */
export interface Session {
  /** Takes one frame; await it before the next. Rejects with SessionEnd when the connection has to end. */
  take(frame: Frame): Promise<void>;
}

/** Resolves when the frame has left. */
type Send = ((frame: Frame) => Promise<void>) | undefined;

/** Makes a session; `send` is undefined where the client cannot speak (poll, snapshot). */
export function createSession(host: SessionHost, send: Send): Session {
  const environmentOf = (name: string): Environment => {
    const environment = host.environment(name);
    if (environment !== undefined) return environment;
    host.refused('unknown_environment', `frames of environment ${name}, which was not granted`);
    throw new SessionEnd('sync.refused', `environment ${name} was not granted`);
  };
  const gather = async (name: string, add: (environment: Environment) => void): Promise<void> => {
    const environment = environmentOf(name);
    add(environment);
    const excess = environment.gathering.excess();
    if (excess !== undefined) await act(environment, environment.refuse(excess.reason, excess.detail), send);
  };

  return {
    async take(frame) {
      switch (frame.kind) {
        case 'welcome':
          return host.welcomed(frame);
        case 'certificates':
          return environmentOf(frame.environment).certificates.add(frame.certificates);
        case 'headers':
          return gather(frame.environment, (each) => each.gathering.addHeaders(frame.headers, frame.isFull));
        case 'payloads':
          return gather(frame.environment, (each) => each.gathering.addPayloads(frame.records));
        case 'bucketHeaders':
          return gather(frame.environment, (each) => each.gathering.addBuckets(frame));
        case 'head': {
          const environment = environmentOf(frame.environment);
          if (frame.isAnnounced === true) return act(environment, environment.announce(frame.head), send);
          const outcome = await environment.takeHead(frame.head);
          if (outcome.kind === 'applied' || outcome.kind === 'unchanged') host.proven();
          return act(environment, outcome, send);
        }
        case 'close':
          throw new SessionEnd(frame.code, frame.reason, frame.retryAfterMs);
        case 'ping':
          return send?.({ kind: 'ping', atMs: frame.atMs });
        case 'hello':
        case 'applied':
        case 'heartbeat':
        case 'buckets':
          host.refused('frame_malformed', `a bridge does not send ${frame.kind}`);
          throw new SessionEnd('sync.refused', `a bridge does not send ${frame.kind}`);
      }
    },
  };
}

async function act(environment: Environment, outcome: HeadOutcome, send: Send): Promise<void> {
  const { environment: name } = environment.at;
  switch (outcome.kind) {
    case 'applied':
      return send?.({ ...outcome, environment: name });
    case 'buckets':
      if (send !== undefined) return send({ kind: 'buckets', environment: name, hashes: outcome.hashes });
      environment.gathering.mustResync = true;
      throw new SessionEnd('sync.resync', 'buckets cannot be compared over this connection');
    case 'resync':
      throw new SessionEnd('sync.resync', outcome.detail);
    case 'refused':
      throw new SessionEnd('sync.refused', `${outcome.reason}: ${outcome.detail}`);
    case 'announced':
    case 'unchanged':
    case 'waiting':
      return;
  }
}
