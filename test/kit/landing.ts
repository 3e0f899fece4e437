import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { formatLandingKey } from '../../proto/wire/landing.ts';
import type { BlobStore, LandingKey } from '../../proto/wire/blobs.ts';

/** A record as it stands in a landing object. */
export function recordLine(over: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: 'v4-metrics',
    org_id: 'o',
    env_id: 'e',
    gateway_id: 'g',
    api_id: 'a',
    api_name: 'A',
    timestamp: 1_800_000_000_000,
    request_id: 'r',
    status: 200,
    ...over,
  });
}

/** Puts lines where a shipper would, the first at offset `first`; returns the object's key. */
export async function land(
  blobs: BlobStore,
  lines: readonly string[],
  over: Partial<LandingKey> & { readonly count?: number } = {},
): Promise<string> {
  const bytes = zstdCompressSync(Buffer.from(lines.map((line) => `${line}\n`).join('')));
  const { count = lines.length, first = 0, ...rest } = over;
  const key = formatLandingKey({
    stream: 'records',
    organization: 'o',
    environment: 'e',
    fleet: 'f',
    gateway: 'g',
    spool: '00112233445566778899aabbccddeeff',
    first,
    last: first + count - 1,
    hash8: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
    ...rest,
  });
  await blobs.put(key, bytes);
  return key;
}
