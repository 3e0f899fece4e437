import type { Body } from '../../http/exchange.ts';

/** Reads a body whole into its place, once; undefined when it is there. Errors: rejects as Body.buffer. */
export function readInto(
  place: { content: Uint8Array | undefined },
  body: Body | Uint8Array | string,
  bytesMax: number,
): Promise<void> | undefined {
  if (place.content !== undefined) return undefined;
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    return body.buffer(bytesMax).then((content) => void (place.content = content));
  place.content = typeof body === 'string' ? Buffer.from(body) : body;
  return undefined;
}
