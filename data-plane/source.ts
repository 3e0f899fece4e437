import type { SourceState } from './admin/state.ts';
import type { HearTakenLate } from './gateway/deploy/change.ts';
import type { Deployments } from './gateway/deploy/deployments.ts';
import type { GatewayOptions } from './start.ts';
import type { Sync } from './sync/sync.ts';

/** Where configuration comes from, before it is followed. */
export interface Source {
  readonly kind: 'local' | 'bridge';
  /** Id of this gateway. */
  readonly gateway: string;
  /** Serves what the source holds and follows it until the life-cycle closes. */
  follow(parts: FollowParts): Promise<RunningSource>;
}

/** What following needs besides the source. */
export interface FollowParts {
  readonly deployments: Pick<Deployments, 'apply' | 'confirm' | 'judged' | 'onRefusedLate'> & {
    /** One hears it. */
    readonly onTakenLate: (hear: HearTakenLate) => void;
  };
  readonly counters: () => Readonly<Record<string, number>>;
}

/** A source at work. */
export interface RunningSource {
  state(): SourceState;
  readonly sync: Sync | undefined;
}

/**
 * Finds out where configuration comes from; enrols when a token is given and there is no identity yet.
 *
 * Only the one that is used is loaded: a gateway of files has no client, no store and no signatures in its memory.
 */
export async function openSource(options: GatewayOptions): Promise<Source> {
  if (options.config.local === undefined) return (await loadBridgeSource()).openBridge(options);
  return (await import('./folder-source.ts')).openFolder(options.config.local, options);
}

/** Loads what follows a bridge; whoever has time before it is opened may call it then. */
export const loadBridgeSource = () => import('./bridge-source.ts');
