import { randomUUID } from 'node:crypto';
import type { Clock } from '../../proto/process/clock.ts';
import { forgetKeys, keyIdOf, type Keyring, rotateKeyFile } from '../../proto/process/secrets.ts';
import { underLease } from '../storage/leases.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { keepFromSealing } from './keys.ts';
import { readSealed, type SealedRow, writeSealed } from './sealed.ts';

/** Rows of one step. */
const rowsPerStep = 100;
/** Others seal meanwhile, with the key that their ring has: each look finds less. */
const looksMax = 20;

/** What a roll of the key-encryption key needs; see {@link rollKek}. */
export interface RollKekOptions {
  readonly storage: Storage;
  /** The ring of `dir`. */
  readonly keyring: Keyring;
  /** Folder of the key file. */
  readonly dir: string;
  readonly clock: Clock;
  /** Reseals what else lies sealed under keys of the folder, and says which keys it still needs: an identity beside the database. */
  readonly others: () => readonly string[];
  /** How long others keep away from one that was killed. */
  readonly leaseMs?: number;
  readonly onWait?: () => void;
}

/** What is asked of a roll. */
export interface RollKekWish {
  /** Say what would be done, and do nothing. */
  readonly isDryRun?: boolean;
  /** Leave the older keys in the file, so that backups from before open. */
  readonly keepsOld?: boolean;
  /** Called after each step, with what is done. */
  readonly onStep?: (step: RollKekStep) => void;
  /** Tells the audit; in the transaction in which the roll ends. */
  readonly record: (trx: Trx, rolled: RolledKek) => Promise<void>;
}

/** A step that is done: a key was made, or rows were resealed. */
export type RollKekStep =
  | { readonly kind: 'made'; readonly key: string }
  | { readonly kind: 'resealed'; readonly rows: number };

/** What came of it. */
export interface RolledKek {
  /** The key that seals now; of a dry run, the one that does so far. */
  readonly key: string;
  /** False when a roll that was begun before was finished. */
  readonly isNew: boolean;
  /** Values that were resealed; of a dry run, that would be. */
  readonly resealed: number;
  /** Older keys that went from the file; of a dry run, that would. */
  readonly forgotten: readonly string[];
  /** Older keys that stay there, because something needs them or somebody wished it. */
  readonly kept: readonly string[];
  /** Values that are not under the new key: damaged ones, which stay as they are, and what a control plane with another key file sealed. */
  readonly left: readonly string[];
}

/**
 * Replaces the key-encryption key of a database while control planes run, in steps of which each leaves everything readable: a new key comes
 * into the file, in front of the others; each value is opened and sealed again; older keys go from the file when nothing needs them.
 *
 * Killed at any point and said again, it goes on where it was: a file with several keys and values of an older one is a roll that was begun.
 * Control planes that have the same file follow by themselves; one with a file of its own needs the new file before values are resealed.
 * Errors: request.conflict while another one is at it, config.unreadable when the file cannot be written, secrets.*.
 */
export async function rollKek(options: RollKekOptions, wish: RollKekWish): Promise<RolledKek> {
  if (wish.isDryRun === true) return foresee(options, wish);
  const { storage, clock, onWait, leaseMs = 15_000 } = options;
  const lease = { name: 'keys.roll-kek', holder: randomUUID(), leaseMs, clock, onWait };
  return underLease(storage, lease, async (held) => {
    // Another roll may have ended while this one waited.
    options.keyring.reload();
    const isNew = !(await isBegun(options, wish));
    if (isNew) {
      const key = rotateKeyFile(options.dir);
      options.keyring.reload();
      wish.onStep?.({ kind: 'made', key });
    }
    let resealed = 0;
    for (let look = 0; look < looksMax; look += 1) {
      const stale = (await readSealed(storage.db)).filter((row) => isStale(options.keyring, row));
      let inLook = 0;
      for (let from = 0; from < stale.length; from += rowsPerStep) {
        let rows = 0;
        // Each in a transaction of its own: nobody who changes several of them waits for us while we wait for him.
        for (const row of stale.slice(from, from + rowsPerStep)) {
          const isDone = await storage.transaction(async (trx) => {
            await held.keep(trx);
            return reseal(trx, options.keyring, row);
          });
          rows += isDone ? 1 : 0;
        }
        inLook += rows;
        wish.onStep?.({ kind: 'resealed', rows });
      }
      resealed += inLook;
      if (inLook === 0) break;
    }
    const needed = options.others();
    return storage.transaction(async (trx) => {
      await held.keep(trx);
      await keepFromSealing(trx, storage.dialect);
      const rows = await readSealed(trx);
      const inUse = new Set([...idsOf(rows), ...needed]);
      const [key = '', ...older] = options.keyring.keyIds;
      const going = wish.keepsOld === true ? [] : older.filter((id) => !inUse.has(id));
      const rolled = {
        key,
        isNew,
        resealed,
        forgotten: going,
        kept: older.filter((id) => !going.includes(id)),
        left: rows.filter((row) => isStale(options.keyring, row)).map(({ context }) => context),
      };
      await wish.record(trx, rolled);
      // Last, with everybody kept from sealing: what the file loses here nothing needs, whether this transaction commits or not.
      if (going.length > 0) forgetKeys(options.dir, (id) => !going.includes(id));
      return rolled;
    });
  });
}

async function foresee({ storage, keyring }: RollKekOptions, wish: RollKekWish): Promise<RolledKek> {
  const rows = await readSealed(storage.db);
  const [key = '', ...older] = keyring.keyIds;
  const isNew = !(await isBegun({ storage, keyring }, wish));
  const touched = isNew ? rows : rows.filter((row) => isStale(keyring, row));
  const going = wish.keepsOld === true ? [] : isNew ? [key, ...older] : older;
  return {
    key,
    isNew,
    resealed: touched.filter((row) => opens(keyring, row)).length,
    forgotten: going,
    kept: [key, ...older].filter((id) => !going.includes(id)),
    left: rows.filter((row) => !opens(keyring, row)).map(({ context }) => context),
  };
}

/** Whether a roll was begun and did not end: values wait for the key in front, or an older key for going, which whoever keeps them does not mean. */
async function isBegun(
  { storage, keyring }: Pick<RollKekOptions, 'storage' | 'keyring'>,
  { keepsOld = false }: Pick<RollKekWish, 'keepsOld'>,
): Promise<boolean> {
  if (keyring.keyIds.length < 2) return false;
  const rows = await readSealed(storage.db);
  return !keepsOld || rows.some((row) => isStale(keyring, row) && opens(keyring, row));
}

/** Seals a value again, as long as it is what was read. What does not open stays as it is. */
async function reseal(trx: Trx, keyring: Keyring, row: SealedRow): Promise<boolean> {
  const plain = openOf(keyring, row);
  return plain !== undefined && writeSealed(trx, row, keyring.seal(plain, row.context));
}

const idsOf = (rows: readonly SealedRow[]): readonly string[] =>
  rows.flatMap(({ sealed }) => {
    try {
      return [keyIdOf(sealed)];
    } catch {
      // No key opens what is no sealed value.
      return [];
    }
  });

function isStale(keyring: Keyring, { sealed }: SealedRow): boolean {
  try {
    return keyring.isStale(sealed);
  } catch {
    return true;
  }
}

function openOf(keyring: Keyring, { sealed, context }: SealedRow): Uint8Array | undefined {
  try {
    return keyring.open(sealed, context);
  } catch {
    // It is told as left at the end; its key stays.
    return undefined;
  }
}

const opens = (keyring: Keyring, row: SealedRow): boolean => openOf(keyring, row) !== undefined;
