import { Fault } from '../proto/faults/fault.ts';

/** Reads a body whole, up to a bound. Errors: request.too_large, request.invalid when it breaks off. */
export async function readBody(request: Request, bytesMax: number): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > bytesMax)
    throw new Fault('request.too_large', { detail: `The most is ${bytesMax} bytes.` });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw new Fault('request.too_large', { detail: `The most is ${bytesMax} bytes.` });
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('request.invalid', { detail: 'The body broke off.', cause });
  }
  return Buffer.concat(chunks, bytes);
}
