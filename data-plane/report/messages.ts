import type { StreamName } from '../../proto/spool/folder.ts';
import type { ReportSettings } from './settings.ts';

/** What the spool thread is started with. */
export interface ThreadOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  readonly gateway: string;
  readonly settings: ReportSettings;
  /** URL of a module that exports `files: SpoolFiles`; tests hand in a disk that stalls. */
  readonly filesModule: string | undefined;
}

/** Whose lines: they share a spool. */
export interface Tenant {
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

/** To the thread. One `write` at a time: the next goes after `written`. */
export type ToThread =
  | { readonly kind: 'write'; readonly parts: readonly Part[] }
  | { readonly kind: 'close' };

/** From the thread. */
export type FromThread =
  | { readonly kind: 'ready' }
  /** Everything of the last `write` is where the durability asks for. */
  | { readonly kind: 'written' }
  /** The disk refuses; what is to be written is kept and tried again. */
  | { readonly kind: 'trouble'; readonly what: string; readonly message: string }
  | {
      readonly kind: 'upkeep';
      /** Bytes on disk by stream. */
      readonly bytes: Readonly<Record<StreamName, number>>;
      /** Records dropped unshipped since the last message. */
      readonly dropped: number;
    }
  | { readonly kind: 'closed' };
