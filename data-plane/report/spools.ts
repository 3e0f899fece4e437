import type { SpoolFiles } from '../../proto/spool/spool-files.ts';
import { newSpoolId, spoolFolder } from '../../proto/spool/folder.ts';
import { createSpoolWriter, type Rescue, type SpoolWriter } from '../../proto/spool/writer.ts';
import type { RecordPlace } from './ledger-content.ts';
import type { Part, Tenant } from './messages.ts';

/** What spools need. */
export interface SpoolsOptions {
  readonly dir: string;
  readonly gateway: string;
  readonly segmentBytes: number;
  readonly files: SpoolFiles;
  /** A segment that somebody deleted or moved was written anew. */
  readonly onRescue: (rescue: Rescue & { readonly spool: string }) => void;
}

/** How often a writer looks, at most, whether its segment still lies in its place: before a write, a few us. */
const lookEveryMs = 10;

interface OwnSpool {
  readonly writer: SpoolWriter;
  lookedAtMs: number;
}

/**
 * The spools that this process writes, one by stream and environment: landing keys name one tenant, and ranges must have no
 * holes that belong to another. What upkeep tells of lost records has one more: so offsets of the first say how many lines the
 * gateway has handed over, and nothing else. Every method throws what the disk throws and may be repeated.
 */
export class Spools {
  readonly #options: SpoolsOptions;
  readonly #all = new Map<string, OwnSpool>();
  /** Spools of what upkeep tells, by stream and environment. */
  readonly #tellers = new Map<string, Tenant>();

  constructor(options: SpoolsOptions) {
    this.#options = options;
  }

  /** Makes a tenant's spool and its first segment, on disk when it returns. */
  open(at: Tenant): void {
    this.#of(at).writer.open();
  }

  /** Where upkeep tells something to an environment. */
  tellerOf({ stream, organization, environment }: Omit<Tenant, 'spool'>): Tenant {
    const key = `${stream}/${environment}`;
    const known = this.#tellers.get(key);
    if (known !== undefined) return known;
    const teller = { stream, organization, environment, spool: newSpoolId() };
    this.#tellers.set(key, teller);
    return teller;
  }

  /** Where a tenant's next record will stand. */
  placeOf(at: Tenant): RecordPlace {
    const { writer } = this.#of(at);
    return { spool: writer.spool, offset: writer.next };
  }

  append(part: Part): void {
    const own = this.#of(part);
    const nowMs = performance.now();
    if (nowMs - own.lookedAtMs >= lookEveryMs) this.#look(own, nowMs);
    // A message turns a Buffer into what it is made of.
    const { buffer, byteOffset, length } = part.bytes;
    own.writer.append(Buffer.from(buffer, byteOffset, length), part.count);
  }

  /** Readies the next segments, so that a change of segment is short. */
  prepareNext(): void {
    for (const { writer } of this.#all.values()) writer.prepareNext();
  }

  /** Looks whether all segments still lie in their places. */
  look(): void {
    for (const own of this.#all.values()) this.#look(own, performance.now());
  }

  async sync(): Promise<void> {
    // One after the other: each occupies a thread of the pool that name look-ups need too, and a frozen disk frees none.
    for (const { writer } of this.#all.values()) await writer.sync();
  }

  /** First offset of the segment that is written in a spool; undefined for spools of others. */
  segmentInUse(spool: string): number | undefined {
    const own = this.#all.get(spool);
    return own === undefined ? undefined : (own.writer.segment ?? own.writer.next);
  }

  close(onError: (error: unknown) => void): void {
    for (const { writer } of this.#all.values()) {
      try {
        writer.close();
      } catch (error) {
        onError(error);
      }
    }
  }

  #of(at: Tenant): OwnSpool {
    const { stream, organization, environment, spool } = at;
    const known = this.#all.get(spool);
    if (known !== undefined) return known;
    const { dir, gateway, segmentBytes, files, onRescue } = this.#options;
    const writer = createSpoolWriter({
      dir: spoolFolder(dir, { stream, environment, spool }),
      spool,
      owner: { organization, environment, gateway },
      segmentBytes,
      files,
      onRescue: (rescue) => onRescue({ ...rescue, spool }),
    });
    const own = { writer, lookedAtMs: performance.now() };
    this.#all.set(spool, own);
    return own;
  }

  #look(own: OwnSpool, nowMs: number): void {
    own.lookedAtMs = nowMs;
    own.writer.rescue();
  }
}
