import { z } from 'zod';

/**
 * What the bridge says of an upload that lies durably in the bucket: only this is an acknowledgement.
 *
 * It names the key and the whole hash, so that neither a log-in page nor a bridge's answer to somebody else passes for one. It
 * carries no signature: a bridge holds no signing key, and who reads and writes inside our TLS may as well drop the bytes.
 */
const UploadReceipt = z.object({
  receipt: z.literal('isthmus-upload'),
  /** Landing key. */
  key: z.string(),
  /** Of all the bytes, 64 hex digits. */
  sha256: z.string(),
  outcome: z.enum(['stored', 'existed', 'replaced']),
  bridgeTimeMs: z.number(),
});
/** See the schema: `{"receipt":"isthmus-upload","key":"landing/v1/...","sha256":"...","outcome":"stored","bridgeTimeMs":1}`. */
export type UploadReceipt = z.infer<typeof UploadReceipt>;

/** Reads a receipt; undefined for anything else. */
export function readReceipt(text: string): UploadReceipt | undefined {
  return UploadReceipt.safeParse(parseJson(text)).data;
}

const BridgeRefusal = z.object({
  code: z.string().max(256),
  reason: z.string().max(4_096),
  details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  bridgeTimeMs: z.number(),
});

/** Reads what a bridge answers when it refuses: JSON whose code stands in the head as well; undefined for anybody else's answer. */
export function readRefusal(
  text: string,
  headers: Readonly<Record<string, string>>,
): z.infer<typeof BridgeRefusal> | undefined {
  const refusal = BridgeRefusal.safeParse(parseJson(text)).data;
  return refusal !== undefined && headers['x-isthmus-code'] === refusal.code ? refusal : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
