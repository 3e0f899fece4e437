import type { z } from 'zod';
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

/** Reads a body as JSON of a shape. Errors: request.invalid naming each field. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new Fault('request.invalid', { detail: 'The body is not JSON.', cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Fault('request.invalid', { details });
}
