import type { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import { createGathered } from '../../proto/wire/gathered.ts';

/** How a body has to come, and who is told of its bytes. */
export interface BodyPace {
  /** Called as bytes arrive; may throw. */
  readonly arrived?: (bytes: number) => void;
  /** Window of the lowest rate; shortened by tests. */
  readonly windowMs?: number;
}

/** A body that brings less than this per window is ended: room is for those who use it. */
const bytesPerWindowMin = 16 * 1024;
const windowMsDefault = 10_000;

const tooLarge = (bytesMax: number): Fault =>
  new Fault('request.too_large', { detail: `The most is ${bytesMax} bytes.` });

/**
 * Reads a body whole, up to a bound.
 *
 * Errors: those of {@link lengthOf}, request.timeout when it comes slower than 16 KiB in 10 s, request.invalid when it breaks off.
 */
export async function readBody(request: Request, bytesMax: number, pace: BodyPace = {}): Promise<Uint8Array> {
  lengthOf(request, bytesMax);
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const gathered = createGathered();
  let before = 0;
  let isSlow = false;
  const watch = setInterval(() => {
    isSlow = gathered.length - before < bytesPerWindowMin;
    before = gathered.length;
    // Ends the read that waits; a race of promises would keep something of every read until the last.
    if (isSlow) reader.cancel().catch(() => undefined);
  }, pace.windowMs ?? windowMsDefault);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isSlow) throw new Fault('request.timeout', { detail: 'The body comes too slowly.' });
      if (done) return gathered.take();
      pace.arrived?.(value.length);
      if (gathered.length + value.length > bytesMax) throw tooLarge(bytesMax);
      gathered.add(value);
    }
  } catch (cause) {
    reader.cancel().catch(() => undefined);
    if (cause instanceof Fault) throw cause;
    throw new Fault('request.invalid', { detail: 'The body broke off.', cause });
  } finally {
    clearInterval(watch);
  }
}

/**
 * The length that a body says it has.
 *
 * Without one it would come in chunks of the sender's choice, and a chunk of one byte costs us hundreds of times its bytes before
 * anybody could count it. Errors: bridge.length_required, request.too_large.
 */
export function lengthOf(request: Request, bytesMax: number): number {
  const text = request.headers.get('content-length');
  if (text === null || !/^[0-9]{1,15}$/.test(text)) throw new Fault('bridge.length_required');
  const length = Number(text);
  if (length > bytesMax) throw tooLarge(bytesMax);
  return length;
}

/** Reads a body as JSON of a shape. Errors: request.invalid naming each field. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array): z.output<Schema> {
  let json: unknown;
  try {
    json = parseJson(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new Fault('request.invalid', { detail: 'The body is not JSON.', cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Fault('request.invalid', { details });
}
