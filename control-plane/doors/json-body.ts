import type { IncomingMessage } from 'node:http';
import { Fault } from '../../proto/faults/fault.ts';
import { withoutNulls } from '../../proto/model/nulls.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import { createGathered } from '../../proto/wire/gathered.ts';

/** Bounds of a body. */
const bodyLimits = { bytesMax: 1_048_576, depthMax: 64 } as const;
const tooDeepWords = `is nested deeper than ${bodyLimits.depthMax} levels`;

/** How a body comes. */
export interface BodySource {
  /** The message behind the request; undefined where a test calls the door without a socket. */
  readonly incoming: IncomingMessage | undefined;
  /** Longest time for it to arrive. */
  readonly msMax: number;
  readonly clock: Clock;
}

/**
 * Reads a JSON body with bounds; undefined when there is none. A field with null is an absent field, at any depth.
 *
 * Errors: request.too_large above 1 MiB; request.timeout when it comes too slowly; request.broken_off; request.unsupported_media_type for anything but plain JSON in UTF-8;
 * request.invalid for what is not JSON, names something twice, is nested too deep, or holds text that a database could not keep.
 */
export async function readJsonBody(request: Request, source: BodySource): Promise<unknown> {
  if (Number(request.headers.get('content-length') ?? 0) > bodyLimits.bytesMax)
    throw new Fault('request.too_large');
  const { incoming } = source;
  const bytes = await (incoming === undefined ? readStream(request) : readIncoming({ ...source, incoming }));
  if (bytes.length === 0) return undefined;
  const type = (request.headers.get('content-type') ?? '').toLowerCase().split(';');
  const parameter = type[1]?.trim() ?? '';
  if (type[0]?.trim() !== 'application/json' || !/^(charset="?utf-8"?)?$/.test(parameter))
    throw new Fault('request.unsupported_media_type');
  if (request.headers.has('content-encoding'))
    throw new Fault('request.unsupported_media_type', { hint: 'Send the body without Content-Encoding.' });
  const value = parse(bytes);
  const fault = firstUnkeepable(value);
  if (fault !== undefined) throw invalid(fault.path, fault.message);
  return withoutNulls(value, { depthMax: bodyLimits.depthMax, refuse: tooDeep });
}

/** From the message itself: through the web stream of a request the same bytes cost several times as much. */
async function readIncoming({
  incoming,
  msMax,
  clock,
}: BodySource & { readonly incoming: IncomingMessage }): Promise<Uint8Array> {
  const gathered = createGathered();
  const done = Promise.withResolvers<void>();
  const breakOff = (): void => done.reject(new Fault('request.broken_off'));
  const take = (chunk: Uint8Array): void => {
    if (gathered.length + chunk.length > bodyLimits.bytesMax) done.reject(new Fault('request.too_large'));
    else gathered.add(chunk);
  };
  const listeners = { data: take, end: done.resolve, error: breakOff, close: breakOff } as const;
  for (const [event, listener] of Object.entries(listeners)) incoming.on(event, listener);
  const cancel = clock.after(msMax, () => {
    done.reject(new Fault('request.timeout', { detail: 'The body comes too slowly.' }));
  });
  // It may have ended, or broken off, while somebody was asked who this is.
  if (incoming.readableEnded) done.resolve();
  else if (incoming.destroyed) breakOff();
  try {
    await done.promise;
    return gathered.take();
  } finally {
    cancel();
    for (const [event, listener] of Object.entries(listeners)) incoming.off(event, listener);
  }
}

async function readStream({ body }: Request): Promise<Uint8Array> {
  const gathered = createGathered();
  if (body === null) return new Uint8Array();
  for await (const chunk of body) {
    if (gathered.length + chunk.length > bodyLimits.bytesMax) throw new Fault('request.too_large');
    gathered.add(chunk);
  }
  return gathered.take();
}

function parse(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Fault('request.invalid', {
      detail: 'The body is not JSON in UTF-8.',
      details: [{ path: '', message: error instanceof Error ? error.message : String(error) }],
    });
  }
}

/** Walks without recursion: 1 MiB of brackets would overflow the stack of any schema. */
function firstUnkeepable(root: unknown): { readonly path: string; readonly message: string } | undefined {
  const open: { readonly value: unknown; readonly path: string; readonly depth: number }[] = [
    { value: root, path: '', depth: 0 },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, path, depth } = at;
    if (typeof value === 'string' && !isKeepable(value))
      return { path, message: 'must not hold NUL or half a surrogate pair' };
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= bodyLimits.depthMax) return { path: '', message: tooDeepWords };
    for (const [key, item] of Object.entries(value)) {
      const below = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
      // Copying an object by its keys would set the prototype instead of a field.
      if (key === '__proto__' || !isKeepable(key)) return { path: below, message: 'is not a possible name' };
      open.push({ value: item, path: below, depth: depth + 1 });
    }
  }
  return undefined;
}

function tooDeep(): never {
  throw invalid('', tooDeepWords);
}

function isKeepable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { details: [{ path, message }] });
}
