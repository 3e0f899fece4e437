import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { invariant } from '../proto/faults/fault.ts';
import type { GapRecord } from '../proto/model/access-record.ts';
import type { LandingKey } from '../proto/wire/blobs.ts';
import { sealParcel } from '../proto/wire/parcel.ts';
import { parcelOf } from './parcels.ts';
import type { Parcel } from './topology.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const newline = 10;
/** More than any parcel of ours unpacks to. */
const linesBytesMax = 1024 * 1024 * 1024;

/** Lines with the place of their first and last one. */
export interface Stretch {
  readonly place: Omit<LandingKey, 'hash8'>;
  readonly lines: Buffer;
}

/**
 * Makes parcels of lines, each of at most so many bytes on the wire, down to a single line, which is as large as it is.
 *
 * Cost: compressing at level 3; 19 costs 150 times as much for 13 % fewer bytes. What is too large is compressed again in halves.
 */
export async function pack(stretch: Stretch, wireBytesMax: number): Promise<readonly Parcel[]> {
  const parcel = await seal(stretch);
  if (parcel.bytes.length <= wireBytesMax) return [parcel];
  const halves = halvesOf(stretch);
  if (halves === undefined) return [parcel];
  return [...(await pack(halves[0], wireBytesMax)), ...(await pack(halves[1], wireBytesMax))];
}

/** The two halves of a parcel, by bytes; undefined when it holds one record. */
export async function halve(parcel: Parcel): Promise<readonly Parcel[] | undefined> {
  const halves = halvesOf(await unpack(parcel));
  return halves === undefined ? undefined : Promise.all(halves.map(seal));
}

/** The same lines under another key, for a gateway that enrolled again meanwhile. */
export async function readdress(parcel: Parcel, place: Stretch['place']): Promise<Parcel> {
  const { lines } = await unpack(parcel);
  return seal({ place, lines });
}

/** The lines of a parcel. */
export async function unpack({ place, bytes }: Parcel): Promise<Stretch> {
  return { place, lines: await decompress(bytes, { maxOutputLength: linesBytesMax }) };
}

/**
 * What goes on in place of one record that nobody takes: a gap record at its offset, made of nothing but the record, so that it has the
 * same bytes after a crash. Undefined when the record is no longer than that.
 */
export async function gapInPlaceOf({ place, lines }: Stretch): Promise<Parcel | undefined> {
  const { organization, environment, gateway, spool, first, last } = place;
  const gap: GapRecord = {
    type: 'gap',
    org_id: organization,
    env_id: environment,
    gateway_id: gateway,
    timestamp: timestampOf(lines),
    reason: 'tooLarge',
    dropped: 1,
    spool,
    first,
    last,
  };
  const line = Buffer.from(`${JSON.stringify(gap)}\n`);
  return line.length < lines.length ? seal({ place, lines: line }) : undefined;
}

async function seal({ place, lines }: Stretch): Promise<Parcel> {
  const packed = await compress(lines, {
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const parcel = parcelOf(sealParcel(place, packed));
  invariant(parcel !== undefined, 'what was sealed names its key');
  return parcel;
}

function halvesOf({ place, lines }: Stretch): readonly [Stretch, Stretch] | undefined {
  const middle = Math.floor(lines.length / 2);
  let cut = lines.indexOf(newline, middle) + 1;
  // The middle stands in the last line: the cut is then before it.
  if (cut === 0 || cut === lines.length) cut = middle === 0 ? 0 : lines.lastIndexOf(newline, middle - 1) + 1;
  if (cut === 0) return undefined;
  const left = lines.subarray(0, cut);
  const border = place.first + countLines(left);
  return [
    { place: { ...place, last: border - 1 }, lines: left },
    { place: { ...place, first: border }, lines: lines.subarray(cut) },
  ];
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(newline); at !== -1; at = lines.indexOf(newline, at + 1)) count += 1;
  return count;
}

function timestampOf(line: Buffer): number {
  try {
    const { timestamp } = JSON.parse(line.toString()) as { readonly timestamp?: unknown };
    return typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? timestamp : 0;
  } catch {
    return 0;
  }
}
