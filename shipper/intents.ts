import { mkdirSync, readFileSync, rmSync, openSync, writeSync, fsyncSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isCode, writeDurably } from '../proto/spool/folder.ts';
import type { BadRecord } from './batch.ts';
import type { Parcel } from './topology.ts';

const Intent = z.object({
  spool: z.string(),
  first: z.number().int(),
  last: z.number().int(),
  key: z.string(),
  /** Of the filters that the lines went through. */
  filters: z.string(),
});

/** What is about to be delivered. */
export type Intent = z.infer<typeof Intent>;

/** The shipper's own folder: what is being delivered, and what never can be. */
export interface Intents {
  /** The parcel that a crash may have interrupted; undefined when there is none. */
  load(spool: string): { readonly intent: Intent; readonly parcel: Parcel } | undefined;
  /** Durable when it returns. */
  save(intent: Intent, bytes: Uint8Array): void;
  remove(spool: string): void;
  /** Puts aside one record, or a whole parcel that is refused for good, for a human to look at. */
  quarantineRecord(spool: string, record: BadRecord): void;
  quarantineParcel(intent: Intent, bytes: Uint8Array, reason: string): void;
}

/**
 * Opens the folder.
 *
 * The bytes are kept beside the intent, not made again from the spool: a newer zlib or a changed filter would make others, and
 * a segment that was dropped meanwhile would make none, although the far end may already have them under that name.
 */
export function openIntents(dir: string): Intents {
  const quarantine = join(dir, 'quarantine');
  mkdirSync(quarantine, { recursive: true });
  const path = (spool: string, suffix: string): string => join(dir, `${spool}.${suffix}`);
  return {
    load(spool) {
      const text = readIfThere(path(spool, 'intent.json'));
      const bytes = readIfThere(path(spool, 'parcel'));
      if (text === undefined || bytes === undefined) return undefined;
      const intent = Intent.parse(JSON.parse(text.toString()));
      return { intent, parcel: { key: intent.key, bytes } };
    },
    save(intent, bytes) {
      writeAndSync(path(intent.spool, 'parcel'), bytes);
      // The intent comes last: where it stands, the parcel stands whole.
      writeDurably(path(intent.spool, 'intent.json'), `${JSON.stringify(intent)}\n`);
    },
    remove(spool) {
      rmSync(path(spool, 'intent.json'), { force: true });
      rmSync(path(spool, 'parcel'), { force: true });
    },
    quarantineRecord(spool, { offset, line }) {
      writeAndSync(join(quarantine, `${spool}-${offset}.line`), line);
    },
    quarantineParcel(intent, bytes, reason) {
      const name = `${intent.spool}-${intent.first}-${intent.last}`;
      writeAndSync(join(quarantine, `${name}.ndjson.zst`), bytes);
      writeDurably(join(quarantine, `${name}.json`), `${JSON.stringify({ ...intent, reason })}\n`);
    },
  };
}

function writeAndSync(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w', 0o640);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
