/**
 * What the shipper is made of: inputs -> filters -> one output, with acknowledgement.
 *
 * An input finds sources. A source is a sequence of lines with offsets that can be read again from any acknowledged offset: a spool is
 * one as it stands; a TCP or HTTP input becomes one by writing to a disk buffer in spool format first. A filter sees lines and keeps,
 * changes or drops each; it never changes their number (a dropped line becomes `{}`), because a landing object's lines are counted by
 * offset. An output takes a parcel and says what became of it. Later issues add inputs (file, tcp, http), filters, codecs and outputs
 * (elasticsearch, kafka, ...): each a file in its folder and a line in start.ts; this file and shipment.ts do not change.
 *
 * EXACTLY ONCE. A parcel's bytes, which name its range and key, are durable before its first delivery and repeated verbatim after a
 * crash, so the far end sees the same name with the same content. Only after it said `delivered` does the source's acknowledgement move.
 */
import type { BorderTrouble } from '../proto/trust/border.ts';
import type { StreamName } from '../proto/spool/folder.ts';
import type { SpoolEntry } from '../proto/spool/reader.ts';
import type { LandingKey } from '../proto/wire/blobs.ts';

/** Whose lines a source holds. */
export interface SourceIdentity {
  /** 32 hex digits. */
  readonly spool: string;
  readonly stream: StreamName;
  readonly organization: string;
  readonly environment: string;
  readonly gateway: string;
}

/** A sequence of lines with offsets. */
export interface Source extends SourceIdentity {
  /** Lines and gaps in order; empty means not yet. */
  read(): Promise<readonly SpoolEntry[]>;
  /** Offset below which everything was acknowledged. */
  acknowledged(): number;
  /** Everything below `next` has arrived; durable when it returns. */
  acknowledge(next: number): void;
  close(): Promise<void>;
}

/** Finds sources. */
export interface Input {
  readonly name: string;
  /** Those that exist now, by id; cheap enough for once a second. */
  discover(): Promise<ReadonlySet<string>>;
  /** Opens one at its acknowledged offset, or undefined when it has just gone. */
  open(id: string): Promise<Source | undefined>;
  /** The source has gone for good: its acknowledgement may go too. */
  forget(id: string): void;
}

/** Changes lines on their way; synchronous, since it runs per line at full rate. */
export interface Filter {
  readonly name: string;
  /** The line (without newline) to go on with, or undefined to drop it. */
  apply(line: Uint8Array): Uint8Array | undefined;
}

/** A batch ready to leave. */
export interface Parcel {
  /** Landing key, as text and taken apart. */
  readonly key: string;
  readonly place: LandingKey;
  /** Compressed lines and their label; they name the key. */
  readonly bytes: Uint8Array;
}

/** What became of a parcel. Failures are values: they are expected. */
export type Delivery =
  /** The far end itself said so, about this key and these bytes. */
  | { readonly kind: 'delivered' }
  /** Tried again for ever; wrong credentials and refused tenants count here, since data outlives a wrong setting. */
  | ({ readonly kind: 'unavailable' } & Failure)
  /** Somebody answered who is not the far end (a log-in page, a proxy): tried again for ever, and said in health. */
  | ({ readonly kind: 'foreign' } & Failure)
  /** Somebody on the way finds it too large: it is cut and goes on in parts. */
  | { readonly kind: 'tooLarge'; readonly reason: string }
  /** This very parcel will never be taken: it goes to quarantine and the next one follows. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Failure {
  readonly reason: string;
  /** What lasts until a human acts, when it is that. */
  readonly trouble?: BorderTrouble | undefined;
  readonly retryAfterMs?: number;
  /** Its size may be why: after a few such answers in a row it is cut, though never set aside. */
  readonly mayBeTooLarge?: boolean;
}

/** Why nobody takes parcels, and what lasts until a human acts, when it is that. */
export type Missing = Pick<Failure, 'reason' | 'trouble'>;

/** Takes parcels. Safe to call concurrently and to repeat. */
export interface Output {
  readonly name: string;
  deliver(parcel: Parcel, signal: AbortSignal): Promise<Delivery>;
  /** Whether there is somebody to deliver to, and why not; never rejects. Absent where the first delivery alone can say. */
  look?(signal: AbortSignal): Promise<Missing | undefined>;
  close(): Promise<void>;
}
