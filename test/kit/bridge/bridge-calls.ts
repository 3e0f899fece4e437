import { createHash } from 'node:crypto';
import { readDelimited } from '../../../proto/wire/delimited.ts';
import type { Frame } from '../../../proto/wire/frames.ts';
import { formatLandingKey } from '../../../proto/wire/landing.ts';
import { assertionFor, claimSeat } from './bridge-client.ts';
import type { MemoryGateway } from './memory-repository.ts';

/** Which gateway asks which bridge. */
export interface BridgeCaller {
  readonly url: string;
  readonly gateway: MemoryGateway;
}

/** Calls the bridge as the gateway, seated and with a fresh assertion. */
export async function callBridge(
  { url, gateway }: BridgeCaller,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const role = path.includes('/uploads/') ? 'shipper' : 'gateway';
  await claimSeat(gateway, url, { role });
  const token = await assertionFor(gateway, url, { role });
  return fetch(`${url}${path}`, {
    ...init,
    headers: { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` },
  });
}

/** The frames of a poll or snapshot body. */
export async function framesOf(body: Uint8Array): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readDelimited([body])) frames.push(frame);
  return frames;
}

/** A batch that the gateway may upload, with its key. */
export function batchOf(
  gateway: MemoryGateway,
  text = 'line\n',
  stream: 'records' | 'logs' = 'records',
): { readonly bytes: Buffer<ArrayBuffer>; readonly key: string } {
  const bytes = Buffer.from(text);
  const key = formatLandingKey({
    stream,
    organization: 'org-1',
    environment: 'dev',
    fleet: 'fleet-1',
    gateway: gateway.identity.id,
    spool: 'ab'.repeat(16),
    first: 0,
    last: 9,
    hash8: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
  });
  return { bytes, key };
}
