/**
 * The parcels that are on their way, on disk: what a crash may interrupt.
 *
 * A parcel is durable here before its first PUT and stays until it has arrived, so that after a crash the same bytes go again under
 * the same key: a newer zlib or a changed filter would make others from the spool, and a segment that was dropped meanwhile none.
 * A file is a whole parcel, `<spool>.<first>-<last>-<hash8>.parcel`; its bytes name their own key, so nothing beside it can disagree.
 *
 * CUT. The parts of a parcel that is too large are written first, then the whole is removed. While the whole is there no part has left,
 * so after a crash between the two the parts are removed and it is cut again.
 *
 * DAMAGE. A file that is not what its name says is moved aside; its range is read from the spool again, since the acknowledgement only
 * moves behind what has arrived without a hole. Its new key carries the hash of the new bytes: either it is the same object, or the
 * ingester sees two objects and trims the overlap.
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseLandingKey } from '../proto/wire/landing.ts';
import { landingNameOf } from '../proto/wire/parcel.ts';
import { isCode } from '../proto/spool/folder.ts';
import { isUnfinished, writeDurably } from '../proto/process/disk/durable-file.ts';
import { makeFolder } from './own-folder.ts';
import type { Quarantine } from './quarantine.ts';
import type { Parcel } from './topology.ts';

/** Larger than any parcel that was written here. */
const parcelBytesMax = 128 * 1024 * 1024;
const parcelName = /^([0-9a-f]{32})\.[0-9]{1,16}-[0-9]{1,16}-[0-9a-f]{8}\.parcel$/;

/** See the top of the file. */
export interface Parcels {
  /** Spools of which something is on its way. */
  spools(): ReadonlySet<string>;
  /** What is on its way of a spool, in order; what is damaged is moved aside and told. */
  load(spool: string): readonly Parcel[];
  /** Durable when it returns. */
  save(parcels: readonly Parcel[]): void;
  /** Puts parts in the place of the whole. */
  replace(whole: Parcel, parts: readonly Parcel[]): void;
  remove(parcel: Parcel): void;
}

/** What the folder needs. */
export interface ParcelsOptions {
  readonly dir: string;
  readonly quarantine: Quarantine;
  readonly damaged: (file: string, reason: string) => void;
}

/** Opens the folder; what an earlier process left unfinished is removed. */
export function openParcels({ dir, quarantine, damaged }: ParcelsOptions): Parcels {
  const inTheWay = makeFolder(dir);
  if (inTheWay !== undefined) damaged(inTheWay, 'a file stood in place of a folder');
  for (const name of readdirSync(dir))
    if (isUnfinished(name)) rmSync(join(dir, name), { recursive: true, force: true });
  const pathOf = (parcel: Parcel): string => join(dir, fileOf(parcel));
  const read = (name: string): Parcel | undefined => {
    const { parcel, reason } = readParcel(join(dir, name));
    if (parcel !== undefined && fileOf(parcel) === name) return parcel;
    damaged(quarantine.moveAside(join(dir, name)), reason ?? 'its name is not that of its bytes');
    return undefined;
  };
  const remove = (parcel: Parcel): void => rmSync(pathOf(parcel), { force: true });
  const save = (parcels: readonly Parcel[]): void => {
    makeFolder(dir);
    for (const parcel of parcels) writeDurably(pathOf(parcel), parcel.bytes);
  };
  return {
    spools: () => new Set(namesIn(dir).flatMap((name) => parcelName.exec(name)?.[1] ?? [])),
    load(spool) {
      const names = namesIn(dir).filter((name) => parcelName.exec(name)?.[1] === spool);
      const found = names.flatMap((name) => read(name) ?? []);
      const inOrder = found.toSorted((a, b) => a.place.first - b.place.first || b.place.last - a.place.last);
      const wholes: Parcel[] = [];
      for (const parcel of inOrder) {
        const isPart = parcel.place.last <= (wholes.at(-1)?.place.last ?? -1);
        if (isPart) remove(parcel);
        else wholes.push(parcel);
      }
      return wholes;
    },
    save,
    replace(whole, parts) {
      save(parts);
      remove(whole);
    },
    remove,
  };
}

/** A folder that somebody has deleted is empty: the next parcel makes it again, and until then it stops nobody. */
function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

const fileOf = ({ place: { spool, first, last, hash8 } }: Parcel): string =>
  `${spool}.${first}-${last}-${hash8}.parcel`;

/** A parcel from its bytes alone; undefined when they do not say whose they are. */
export function parcelOf(bytes: Uint8Array): Parcel | undefined {
  const key = landingNameOf(bytes);
  const place = key === undefined ? undefined : parseLandingKey(key);
  return key === undefined || place === undefined ? undefined : { key, place, bytes };
}

function readParcel(path: string): { readonly parcel?: Parcel | undefined; readonly reason?: string } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return { reason: 'it is no file' };
  if (found.size > parcelBytesMax) return { reason: `it has ${found.size} bytes` };
  const parcel = parcelOf(readFileSync(path));
  return parcel === undefined ? { reason: 'its bytes do not say whose they are' } : { parcel };
}
