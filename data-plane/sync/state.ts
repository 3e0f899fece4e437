import type { LastingTrouble } from '../../proto/trust/border.ts';
import type { HeadRefusal } from '../../proto/trust/heads.ts';
import type { Nack } from '../../proto/wire/published.ts';

/** Why something from the bridge was refused; also the label of isthmus_sync_refused_total. */
export type RefusalReason =
  /** What is wrong with a head (proto/trust/heads.ts). */
  | HeadRefusal
  /** The records do not give the head's digest: one is missing, replaced or added. */
  | 'digest_mismatch'
  /** A record came whose hash no header has. */
  | 'hash_mismatch'
  /** Headers without the records that this gateway is entitled to. */
  | 'withheld'
  /** Records that this gateway is not entitled to; they are dropped. */
  | 'not_entitled'
  /** More was sent before a head than an environment may hold. */
  | 'batch_too_large'
  /** An environment that was not granted. */
  | 'unknown_environment'
  /** A frame that cannot be decoded. */
  | 'frame_malformed'
  /** The bridge took this gateway's identity for in use elsewhere. */
  | 'identity_conflict';

/** How configuration reaches this gateway at the moment. */
export type SyncMode = 'stream' | 'poll' | 'offline';

/** What a gateway knows of one environment. */
export interface EnvironmentState {
  readonly environment: string;
  /** 0 while nothing was ever applied. */
  readonly epoch: number;
  readonly seq: number;
  /** How long ago the newest head was signed or came, whichever is known; undefined with seq 0. */
  readonly ageMs: number | undefined;
  /** Every header of a verified head is here and every entitled record is applied or refused with a reason. */
  readonly isComplete: boolean;
  /** No new head for longer than heads are good for: the bridge may be frozen. Traffic goes on. */
  readonly isHeadExpired: boolean;
  /** Records in the set without tombstones, and those of them that are on this gateway. */
  readonly records: number;
  readonly recordsHeld: number;
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** What was refused last, in words. */
  readonly lastRefusal: string | undefined;
  readonly nacks: readonly Nack[];
}

/** What readiness, health and the node API show of synchronisation. */
export interface SyncState {
  readonly gateway: string;
  /** Random for this start of the process: what an operator names it by. */
  readonly instance: string;
  readonly organization: string;
  readonly bridge: string;
  readonly mode: SyncMode;
  readonly isConnected: boolean;
  /** The last failure to connect; undefined while connected. */
  readonly lastError: string | undefined;
  /** Why the bridge does not let this gateway in, with what to do; undefined while it does, and while it is merely away. */
  readonly trouble: LastingTrouble | undefined;
  /** Somebody else runs with this gateway's identity: a copied machine or folder. */
  readonly hasIdentityConflict: boolean;
  /** Refusals that belong to no environment. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Every granted environment is complete; true readiness needs at least one. */
  readonly isComplete: boolean;
  readonly environments: readonly EnvironmentState[];
}
