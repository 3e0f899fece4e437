import { Fault } from '../../proto/faults/fault.ts';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { protocolVersion } from '../../proto/wire/frames.ts';
import type { EnvironmentRef, GatewayIdentity } from '../../proto/wire/published.ts';
import type { Visitor } from '../admission/admission.ts';
import { changesSince, type ChangeSource, type Position } from '../changes/changes.ts';
import type { Services } from '../services.ts';
import { welcomeOf } from '../streams/welcome.ts';

/** One long poll, its query still as text. */
export interface Poll {
  readonly visitor: Visitor;
  readonly query: Readonly<Record<string, string>>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Rejects when the visitor sits no more; asked after the wait. */
  readonly stillSits: () => Promise<void>;
}

/** The long poll: the stream's frames for those who cannot keep a WebSocket open. */
export interface Polls {
  /**
   * Waits for a change (at most `wait` seconds) and gives the frames after the cursor `<epoch>.<seq>`, length-delimited.
   *
   * Errors: request.invalid for a bad query, request.forbidden for an environment that is not granted,
   *         bridge.busy, and those of `stillSits`.
   */
  answer(poll: Poll): Promise<AsyncIterable<Uint8Array>>;
}

/** Makes the long poll; who asks sits already. */
export function createPolls(services: Services): Polls {
  const { config, feeds, clock } = services;
  let polls = 0;

  const waitForChange = async (
    at: EnvironmentRef,
    from: Position,
    wait: { readonly ms: number; readonly signal: AbortSignal },
  ): Promise<void> => {
    // One that was let in while the bridge closes: the signal says nothing any more.
    if (wait.signal.aborted) return;
    const changed = Promise.withResolvers<void>();
    const following = feeds.follow(at, () => check());
    const check = (): void => {
      const head = following.head();
      if (head !== undefined && (head.epoch !== from.epoch || head.seq > from.seq)) changed.resolve();
    };
    const cancel = clock.after(wait.ms, changed.resolve);
    wait.signal.addEventListener('abort', () => changed.resolve(), { once: true });
    try {
      check();
      await changed.promise;
    } finally {
      cancel();
      following.stop();
    }
  };

  return {
    async answer({ visitor, query, signal, stillSits }) {
      const { identity } = visitor;
      const at = environmentOf(identity, query['environment']);
      const from = positionOf(query['cursor']);
      const waitMs = waitOf(query['wait'], config.limits.pollWaitMsMax);
      if (polls >= config.limits.pollsMax) throw new Fault('bridge.busy');
      polls += 1;
      try {
        if (waitMs > 0)
          await waitForChange(at, from, { ms: waitMs, signal: AbortSignal.any([signal, services.signal]) });
      } finally {
        polls -= 1;
      }
      // Whoever has gone must not have his lease prolonged.
      if (signal.aborted) throw new Fault('request.invalid', { detail: 'The caller has gone.' });
      if (waitMs > 0) await stillSits();
      const known = await services.repository.gateway(identity.id);
      if (known === undefined || known.isRevoked) throw new Fault('bridge.revoked');
      return frames(known, sourceOf(services, known, at), from);
    },
  };

  async function* frames(
    identity: GatewayIdentity,
    source: ChangeSource,
    from: Position,
  ): AsyncGenerator<Uint8Array> {
    yield encodeDelimited(welcomeOf(identity, protocolVersion, services));
    for await (const frame of changesSince(source, from)) yield encodeDelimited(frame);
  }
}

/** What a gateway may read of an environment. */
export function sourceOf(
  { repository }: Pick<Services, 'repository'>,
  { grant }: GatewayIdentity,
  at: EnvironmentRef,
): ChangeSource {
  return { repository, at, entitlement: { fleet: grant.fleet, tags: grant.tags } };
}

/** The environment of a query, if it is granted. Errors: request.invalid, request.forbidden. */
export function environmentOf({ grant }: GatewayIdentity, environment: string | undefined): EnvironmentRef {
  if (environment === undefined || environment === '')
    throw invalid('environment', 'name one of the granted environments');
  if (!grant.environments.includes(environment))
    throw new Fault('request.forbidden', { detail: 'This environment is not granted to the fleet.' });
  return { organization: grant.organization, environment };
}

function positionOf(cursor: string | undefined): Position {
  if (cursor === undefined || cursor === '') return { epoch: 0, seq: 0 };
  const match = /^([0-9]{1,15})\.([0-9]{1,15})$/.exec(cursor);
  if (match === null) throw invalid('cursor', 'must be <epoch>.<seq>, two integers');
  return { epoch: Number(match[1]), seq: Number(match[2]) };
}

function waitOf(wait: string | undefined, waitMsMax: number): number {
  if (wait === undefined || wait === '') return 0;
  const secondsMax = Math.floor(waitMsMax / 1_000);
  if (!/^[0-9]{1,3}$/.test(wait) || Number(wait) > secondsMax)
    throw invalid('wait', `must be seconds from 0 to ${secondsMax}`);
  return Number(wait) * 1_000;
}

function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { detail: `${path}: ${message}`, details: [{ path, message }] });
}
