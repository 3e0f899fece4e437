import { Fault } from '../../proto/faults/fault.ts';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import { formatLandingKey, parseLandingKey } from '../../proto/wire/landing.ts';
import { isContentOf, sha256Of } from '../../proto/wire/parcel.ts';
import type { GatewayIdentity } from '../../proto/wire/published.ts';
import type { UploadReceipt } from '../../proto/wire/receipt.ts';
import { lengthOf, readBody } from './body.ts';
import type { Services } from '../services.ts';

/** What lies in the bucket now. */
export type Stored = Pick<UploadReceipt, 'key' | 'sha256' | 'outcome'>;

/** Takes uploads of shippers into the landing folder. */
export interface Uploads {
  /**
   * Stores one batch; repeating it is harmless.
   *
   * Errors: request.not_found for what is no landing key, request.forbidden for another tenant's, request.too_large,
   *         bridge.length_required, bridge.hash_mismatch, blobs.conflict (reported), blobs.unavailable and bridge.busy
   *         (both 503 with Retry-After: the shipper keeps the bytes).
   */
  put(identity: GatewayIdentity, path: string, request: Request): Promise<Stored>;
}

/** Makes the upload door; the bytes in memory are bounded over all uploads together. */
export function createUploads({ blobs, config, events, metrics }: Services): Uploads {
  const { uploadBytesMax, uploadsInFlightBytesMax } = config.limits;
  const counter = metrics.counter('isthmus_bridge_upload_bytes_total', 'Bytes stored.', ['stream']);
  let inFlightBytes = 0;
  const byGateway = new Map<string, number>();

  return {
    async put(identity, path, request) {
      const key = landingKeyOf(path);
      if (!isOwn(key, identity)) {
        events.report({ gateway: identity.id, kind: 'upload.wrong_tenant', detail: path.slice(0, 512) });
        throw new Fault('request.forbidden', { detail: 'The key names another tenant or gateway.' });
      }
      const bytesExpected = lengthOf(request, uploadBytesMax);
      if (bytesExpected === 0) throw new Fault('request.invalid', { detail: 'An upload is not empty.' });
      let arrivedBytes = 0;
      // Room is taken by bytes that are here, not by those that somebody announced, and nobody has more than a quarter.
      const arrived = (count: number): void => {
        const own = (byGateway.get(identity.id) ?? 0) + count;
        const isRoom = inFlightBytes + count <= uploadsInFlightBytesMax;
        if (!isRoom || own > Math.max(uploadBytesMax, uploadsInFlightBytesMax / 4))
          throw new Fault('bridge.busy');
        arrivedBytes += count;
        inFlightBytes += count;
        byGateway.set(identity.id, own);
      };
      try {
        const bytes = await readBody(request, bytesExpected, {
          arrived,
          windowMs: config.limits.bodyWindowMs,
        });
        const sha256 = sha256Of(bytes);
        if (bytes.length !== bytesExpected || !sha256.startsWith(key.hash8)) {
          const detail = `${formatLandingKey(key)}: ${bytes.length} of ${bytesExpected} bytes, hash ${sha256.slice(0, 8)}`;
          events.report({ gateway: identity.id, kind: 'upload.hash_mismatch', detail });
          throw new Fault('bridge.hash_mismatch');
        }
        const outcome = await store(key, bytes, identity);
        if (outcome !== 'existed') counter.inc({ stream: key.stream }, bytes.length);
        return { key: formatLandingKey(key), sha256, outcome };
      } finally {
        inFlightBytes -= arrivedBytes;
        const left = (byGateway.get(identity.id) ?? 0) - arrivedBytes;
        if (left > 0) byGateway.set(identity.id, left);
        else byGateway.delete(identity.id);
      }
    },
  };

  async function store(
    key: LandingKey,
    bytes: Uint8Array,
    identity: GatewayIdentity,
  ): Promise<Stored['outcome']> {
    const name = formatLandingKey(key);
    try {
      // A bucket may have kept half of an upload that failed: what is there proves itself wrong by the hash in its key.
      const isSound = (present: Uint8Array): boolean => isContentOf(name, present);
      const stored = await blobs.put(name, bytes, { ifAbsent: true, isSound });
      if (stored === 'replaced')
        events.report({ gateway: identity.id, kind: 'upload.replaced', detail: name });
      return stored;
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'blobs.conflict') throw error;
      events.report({ gateway: identity.id, kind: 'upload.conflict', detail: name });
      // Names the key: a shipper gives a batch up only for a refusal of this very one.
      throw new Fault(error.code, {
        details: [{ path: name, message: 'exists with other content' }],
        cause: error,
      });
    }
  }
}

function landingKeyOf(path: string): LandingKey {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw new Fault('request.not_found', { detail: 'That is no landing key.' });
  }
  const key = parseLandingKey(decoded);
  // Nobody reads log lines yet: what was taken would lie there for ever.
  if (key === undefined) throw new Fault('request.not_found', { detail: 'That is no landing key.' });
  return key;
}

function isOwn(key: LandingKey, { id, grant }: GatewayIdentity): boolean {
  return (
    key.organization === grant.organization &&
    grant.environments.includes(key.environment) &&
    key.fleet === grant.fleet &&
    key.gateway === id
  );
}
