import type { GapReason } from '../../proto/model/gap-reasons.ts';
import type { StreamName } from '../../proto/spool/folder.ts';
import type { Rescue } from '../../proto/spool/writer.ts';
import type { ReportSettings } from './settings.ts';
import type { DamagedSegment } from './upkeep.ts';

/** As `upkeepEveryMs` of the settings, for a process whose spools another one keeps up; the longest wait that a timer knows. */
export const upkeepNeverMs = 2 ** 31 - 1;

/** What the spool thread is started with. */
export interface ThreadOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  readonly ledger: string;
  readonly gateway: string;
  readonly settings: ReportSettings;
  /** URL of a module that exports `files: SpoolFiles`; tests hand in a disk that stalls. */
  readonly filesModule: string | undefined;
}

/** Whose lines, and the spool of this process that they share. */
export interface Tenant {
  /** 32 hex digits. */
  readonly spool: string;
  readonly stream: StreamName;
  readonly organization: string;
  readonly environment: string;
}

/** Lines of one tenant: they go into one batch with one write. */
export interface Part extends Tenant {
  /** Room for the batch's head (`batchHeadBytes`), then the lines; shared memory, which the sender leaves alone until `written`. */
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** To the thread. One `write` of a stream at a time: the next goes after `written`. */
export type ToThread =
  /** Makes a tenant's spool before its first line comes. */
  | { readonly kind: 'prepare'; readonly at: Tenant }
  | { readonly kind: 'write'; readonly stream: StreamName; readonly parts: readonly Part[] }
  | { readonly kind: 'close' };

/** From the thread. */
export type FromThread =
  | { readonly kind: 'ready' }
  /** The tenant's spool and its first segment are on disk. */
  | { readonly kind: 'prepared'; readonly at: Tenant }
  /** Everything of the stream's last `write` is where the durability asks for. */
  | { readonly kind: 'written'; readonly stream: StreamName }
  /** The disk refuses; what is to be written is kept and tried again. */
  | { readonly kind: 'trouble'; readonly what: string; readonly message: string }
  /** A segment is not where it should be, because somebody deleted or moved it; `rescued` follows when it is written anew. */
  | { readonly kind: 'astray'; readonly message: string }
  | ({ readonly kind: 'rescued'; readonly spool: string } & Rescue)
  | { readonly kind: 'damaged'; readonly segment: DamagedSegment }
  /** Records that are gone unshipped. */
  | { readonly kind: 'lost'; readonly reason: GapReason; readonly count: number }
  | {
      readonly kind: 'upkeep';
      /** Bytes on disk by stream. */
      readonly bytes: Readonly<Record<StreamName, number>>;
    }
  | { readonly kind: 'closed' };
