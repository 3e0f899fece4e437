import { constants } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, type CompressCallback, gunzip, inflate, zstdDecompress } from 'node:zlib';

import { BodyTooLarge, type HeaderList } from '../../http/exchange.ts';

type Unpacker = (packed: Uint8Array, bounds: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

type ZlibCall = (
  packed: Uint8Array,
  bounds: { readonly maxOutputLength: number },
  callback: CompressCallback,
) => void;

const unpackerOf = (call: ZlibCall): Unpacker => promisify(call);

const unpackers: ReadonlyMap<string, Unpacker> = new Map([
  ['gzip', unpackerOf(gunzip)],
  ['x-gzip', unpackerOf(gunzip)],
  ['deflate', unpackerOf(inflate)],
  ['br', unpackerOf(brotliDecompress)],
  ['zstd', unpackerOf(zstdDecompress)],
]);

/** Bytes that an answer came with, as its headers say them. */
export interface Packed {
  readonly headers: HeaderList;
  readonly content: Uint8Array;
}

/**
 * Unpacks an answer that a backend has compressed, so that steps read what it says whatever its client accepts; undefined where nothing is
 * to be unpacked: it is not compressed, a part (206), or in a coding that is not known here or is broken, which stays as it came. What is empty (HEAD, 304) is as unpacked
 * as what it tells of would be.
 *
 * Errors: rejects with BodyTooLarge past bytesMax, which is how a small answer that unpacks to a huge one ends.
 * Source: the reference, whose client of backends unpacks.
 */
export function unpack(
  { headers, content }: Packed,
  bytesMax: number,
): Promise<Uint8Array | undefined> | undefined {
  const unpacker = unpackers.get(headers.get('content-encoding')?.toLowerCase() ?? 'identity');
  if (unpacker === undefined || headers.has('content-range')) return undefined;
  if (content.length === 0) return Promise.resolve(content);
  return unpacker(content, { maxOutputLength: Math.min(bytesMax, constants.MAX_LENGTH) }).catch(
    (error: unknown) => {
      if (error instanceof RangeError) throw new BodyTooLarge(`more than ${bytesMax} bytes, unpacked`);
      return undefined;
    },
  );
}

/** Says of an answer's headers that it is not compressed any more. */
export function sayUnpacked(headers: HeaderList): void {
  headers.delete('content-encoding');
  headers.delete('content-length');
  // Its bytes are others than those that a strong tag stands for (RFC 9110 section 8.8.1).
  const tag = headers.get('etag');
  if (tag?.startsWith('"') === true) headers.set('ETag', `W/${tag}`);
}
