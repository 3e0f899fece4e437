import { zstdCompressSync } from 'node:zlib';
import { formatLandingKey } from '../../../proto/wire/landing.ts';
import { sealParcel, sha256Of } from '../../../proto/wire/parcel.ts';
import type { BlobStore, LandingKey } from '../../../proto/wire/blobs.ts';

/** A record as it stands in a landing object. */
export function recordLine(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: 'v4-metrics',
    org_id: 'o',
    env_id: 'e',
    gateway_id: 'g',
    api_id: 'a',
    api_name: 'A',
    timestamp: 1_700_000_000_000,
    request_id: 'r',
    status: 200,
    ...over,
  });
}

/** Where a test's objects lie unless it says otherwise. */
const somewhere = {
  stream: 'records' as const,
  organization: 'o',
  environment: 'e',
  fleet: 'f',
  gateway: 'g',
  spool: '00112233445566778899aabbccddeeff',
};

/** The n-th spool of a gateway, as it is called. */
export const spoolName = (n: number): string => n.toString(16).padStart(32, '0');

/** Puts lines where a shipper would, the first at offset `first`; returns the object's key. */
export async function land(
  blobs: BlobStore,
  lines: readonly string[],
  over: Partial<LandingKey> & { readonly count?: number } = {},
): Promise<string> {
  const { count = lines.length, first = 0, ...rest } = over;
  const text = lines.map((line) => `${line}\n`).join('');
  const seal = (place: Omit<LandingKey, 'hash8'>): Uint8Array =>
    sealParcel(place, zstdCompressSync(Buffer.from(text)));
  return landBytes(blobs, { first, last: first + count - 1, ...rest }, seal);
}

/** Puts any bytes under a key with their hash. */
export async function landBytes(
  blobs: BlobStore,
  over: Partial<LandingKey> & Pick<LandingKey, 'first' | 'last'>,
  make: (place: Omit<LandingKey, 'hash8'>) => Uint8Array,
): Promise<string> {
  const place = { ...somewhere, ...over };
  const bytes = make(place);
  const key = formatLandingKey({ hash8: sha256Of(bytes).slice(0, 8), ...place });
  await blobs.put(key, bytes);
  return key;
}
