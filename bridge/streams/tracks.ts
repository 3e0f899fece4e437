import { Fault } from '../../proto/faults/fault.ts';
import { encodeFrame, type BucketsFrame, type Frame, type HelloFrame } from '../../proto/wire/frames.ts';
import type { GatewayIdentity, PublishedHead } from '../../proto/wire/published.ts';
import type { Batches } from '../changes/batches.ts';
import {
  changesOfBuckets,
  changesSince,
  type ChangeSource,
  type Position,
  type Reached,
} from '../changes/changes.ts';
import type { Following } from '../changes/feeds.ts';
import type { Services } from '../services.ts';

/** The environments of one stream, each at its own place. */
export interface Tracks {
  /** Brings every environment to its newest head, again and again, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Notes the client's bucket hashes; the answer comes in turn. Hashes of environments not granted are ignored. */
  mend(frame: BucketsFrame): void;
  close(): void;
}

/** What the tracks of one stream need. */
export interface TracksOptions {
  readonly hello: HelloFrame;
  readonly identity: GatewayIdentity;
  readonly services: Services & { readonly batches: Batches };
  /** Resolves when the bytes have left; this is the back-pressure. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
}

interface Track {
  readonly source: ChangeSource;
  readonly following: Following;
  position: Position;
  /** The feed's head that was acted on last; a batch may have ended at a later one, which the feed says again. */
  handledHead: PublishedHead | undefined;
  /** The head's bytes that were sent last. */
  sentHead: Uint8Array | undefined;
  /** The newest question only: an older one was about a set that the client no longer has. */
  clientHashes: Uint8Array | undefined;
}

/** Makes the tracks of the granted environments, from what the hello says the client holds. */
export function createTracks({ hello, identity, services, send }: TracksOptions): Tracks {
  const { organization, environments, fleet, tags } = identity.grant;
  let ring: (() => void) | undefined;
  const wake = (): void => ring?.();
  const tracks = environments.map((environment): Track => {
    const held = hello.environments.find((one) => one.environment === environment);
    return {
      source: {
        repository: services.repository,
        at: { organization, environment },
        entitlement: { fleet, tags },
      },
      following: services.feeds.follow({ organization, environment }, wake),
      position: { epoch: held?.epoch ?? 0, seq: held?.seq ?? 0 },
      handledHead: undefined,
      sentHead: undefined,
      clientHashes: undefined,
    };
  });

  // With the database away the stream stays: the gateway has what it has, and a thousand redials would help nobody.
  const advanceOrWait = async (track: Track, signal: AbortSignal): Promise<boolean> => {
    try {
      return await advance(track, { services, send });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'storage.unavailable') throw error;
      await services.clock.delay(services.config.limits.pollEveryMs, signal);
      return true;
    }
  };

  return {
    async run(signal) {
      signal.addEventListener('abort', wake, { once: true });
      while (!signal.aborted) {
        const bell = new Promise<void>((resolve) => (ring = resolve));
        let hasWorked = false;
        for (const track of tracks) {
          if (signal.aborted) return;
          hasWorked = (await advanceOrWait(track, signal)) || hasWorked;
        }
        if (!hasWorked) await bell;
      }
    },
    mend(frame) {
      const track = tracks.find(({ source }) => source.at.environment === frame.environment);
      if (track === undefined) return;
      track.clientHashes = frame.hashes;
      wake();
    },
    close() {
      for (const { following } of tracks) following.stop();
    },
  };
}

/** Takes one track one step on; false when there is nothing to do. */
async function advance(
  track: Track,
  { services, send }: Pick<TracksOptions, 'services' | 'send'>,
): Promise<boolean> {
  const { clientHashes } = track;
  if (clientHashes !== undefined) {
    settle(track, await pass(changesOfBuckets(track.source, clientHashes), send));
    if (track.clientHashes === clientHashes) track.clientHashes = undefined;
    return true;
  }
  const head = track.following.head();
  if (head === undefined || head === track.handledHead || isSame(head.bytes, track.sentHead)) return false;
  const small = services.batches.small(track.source, track.position, head);
  if (small === undefined) {
    settle(track, await pass(changesSince(track.source, track.position), send));
  } else {
    const { frames, reached } = await small;
    for (const frame of frames) await send(frame);
    settle(track, reached);
  }
  track.handledHead = head;
  return true;
}

function settle(track: Track, reached: Reached | undefined): void {
  if (reached === undefined) return;
  track.position = { epoch: reached.epoch, seq: reached.seq };
  track.sentHead = reached.head;
}

async function pass(
  changes: AsyncGenerator<Frame, Reached | undefined, undefined>,
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<Reached | undefined> {
  for (;;) {
    const step = await changes.next();
    if (step.done === true) return step.value;
    await send(encodeFrame(step.value));
  }
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
