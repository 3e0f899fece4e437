import type { IncomingMessage } from 'node:http';
import { Fault } from '../../proto/faults/fault.ts';
import { withoutNulls } from '../../proto/model/nulls.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { depthMax, tooDeepWords } from '../management/keepable.ts';
import type { Upload } from '../management/route.ts';
import { readJson, readJsonAside } from './json-value.ts';
import { createGathered } from '../../proto/wire/gathered.ts';

/** Longest body of JSON, but where a route takes longer ones; what is longer is read in a thread. */
const jsonBytesMax = 1_048_576;

/** How a body comes. */
export interface BodySource {
  /** The message behind the request; undefined where a test calls the door without a socket. */
  readonly incoming: IncomingMessage | undefined;
  /** Longest time for it to arrive. */
  readonly msMax: number;
  readonly clock: Clock;
  /** Whether it says what changes: then a null is a word of its own, and it may come in the types of patches. */
  readonly isPatch?: boolean;
  /** Default: 1 MiB. */
  readonly bytesMax?: number;
}

/**
 * Reads a JSON body with bounds; undefined when there is none. A field with null is an absent field, at any depth; in a patch it stays.
 *
 * Errors: request.too_large above 1 MiB, or what the route takes; request.timeout when it comes too slowly; request.broken_off; request.unsupported_media_type for anything but plain JSON in UTF-8;
 * request.invalid for what is not JSON, names something twice, is nested too deep, or holds text that a database could not keep.
 */
export async function readJsonBody(request: Request, source: BodySource): Promise<unknown> {
  const { isPatch = false, bytesMax = jsonBytesMax } = source;
  const bytes = await readBytes(request, { ...source, bytesMax });
  if (bytes.length === 0) return undefined;
  const type = (request.headers.get('content-type') ?? '').toLowerCase().split(';');
  const parameter = type[1]?.trim() ?? '';
  const name = type[0]?.trim() ?? '';
  if (
    !(isPatch ? patchTypes : ['application/json']).includes(name) ||
    !/^(charset="?utf-8"?)?$/.test(parameter)
  )
    throw new Fault(
      'request.unsupported_media_type',
      isPatch ? { hint: `Send ${patchTypes.join(' or ')}.` } : {},
    );
  if (request.headers.has('content-encoding'))
    throw new Fault('request.unsupported_media_type', { hint: 'Send the body without Content-Encoding.' });
  const read = bytes.length > jsonBytesMax ? await readJsonAside(bytes) : readJson(bytes);
  if (read.kind === 'broken') throw broken(read.message);
  if (read.kind === 'unkeepable') throw invalid(read.path, read.message);
  const { value } = read;
  if (!isPatch) return withoutNulls(value, { depthMax, refuse: tooDeep });
  const isOperations = name === operationsType;
  if (Array.isArray(value) !== isOperations || typeof value !== 'object' || value === null)
    throw invalid(
      '',
      isOperations ? 'must be a list of operations (RFC 6902)' : 'must be an object (RFC 7396)',
    );
  return value;
}

/** A list of operations (RFC 6902). */
const operationsType = 'application/json-patch+json';
/** What a PATCH may be; plain JSON is a merge patch (RFC 7396). */
const patchTypes = ['application/json', 'application/merge-patch+json', operationsType];

/**
 * Reads a body that is no JSON, of a media type such as `image/*`.
 *
 * Errors: request.too_large, request.timeout, request.broken_off, request.unsupported_media_type.
 */
export async function readUpload(
  request: Request,
  source: BodySource,
  { type, bytesMax }: Upload,
): Promise<Uint8Array> {
  const bytes = await readBytes(request, { ...source, bytesMax });
  const sent = (request.headers.get('content-type') ?? '').toLowerCase();
  if (!sent.startsWith(type.slice(0, -1)) || request.headers.has('content-encoding'))
    throw new Fault('request.unsupported_media_type', { hint: `Send ${type}, without Content-Encoding.` });
  return bytes;
}

interface BoundedSource extends BodySource {
  readonly bytesMax: number;
}

async function readBytes(request: Request, source: BoundedSource): Promise<Uint8Array> {
  const { incoming, bytesMax } = source;
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw new Fault('request.too_large');
  return incoming === undefined ? readStream(request, bytesMax) : readIncoming({ ...source, incoming });
}

/** From the message itself: through the web stream of a request the same bytes cost several times as much. */
async function readIncoming({
  incoming,
  msMax,
  clock,
  bytesMax,
}: BoundedSource & { readonly incoming: IncomingMessage }): Promise<Uint8Array> {
  const gathered = createGathered();
  const done = Promise.withResolvers<void>();
  const breakOff = (): void => done.reject(new Fault('request.broken_off'));
  const take = (chunk: Uint8Array): void => {
    if (gathered.length + chunk.length > bytesMax) done.reject(new Fault('request.too_large'));
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

async function readStream({ body }: Request, bytesMax: number): Promise<Uint8Array> {
  const gathered = createGathered();
  if (body === null) return new Uint8Array();
  for await (const chunk of body) {
    if (gathered.length + chunk.length > bytesMax) throw new Fault('request.too_large');
    gathered.add(chunk);
  }
  return gathered.take();
}

function broken(message: string): Fault {
  return new Fault('request.invalid', {
    detail: 'The body is not JSON in UTF-8.',
    details: [{ path: '', message }],
  });
}

function tooDeep(): never {
  throw invalid('', tooDeepWords);
}

function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { details: [{ path, message }] });
}
