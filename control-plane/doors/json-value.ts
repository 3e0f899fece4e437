import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Fault } from '../../proto/faults/fault.ts';
import { parseJson } from '../../proto/process/json-text.ts';
import { createTurns } from '../access/turns.ts';
import { firstUnkeepable } from '../management/keepable.ts';

/** What the bytes of a body are. */
export type JsonRead =
  | { readonly kind: 'value'; readonly value: unknown }
  /** No JSON in UTF-8, or one that names something twice. */
  | { readonly kind: 'broken'; readonly message: string }
  /** What no database can keep, or is nested too deep. */
  | { readonly kind: 'unkeepable'; readonly path: string; readonly message: string };

/** Longest time for one large body, and room for it. */
const readMsMax = 10_000;
const heapMibMax = 256;
/** One large body is read at once, and so many wait. */
const waitingMax = 8;
const turns = createTurns({ concurrencyMax: 1, waitingPerSourceMax: waitingMax, waitingMax });

/** Reads a body whole. Its time grows with its length: 1 MiB takes some 20 ms. */
export function readJson(bytes: Uint8Array): JsonRead {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { kind: 'broken', message: error instanceof Error ? error.message : String(error) };
  }
  const fault = firstUnkeepable(value);
  return fault === undefined ? { kind: 'value', value } : { kind: 'unkeepable', ...fault };
}

/**
 * The same in a thread of its own, so that a large body holds up nobody.
 *
 * Errors: request.too_large for what takes longer than 10 s or more than 256 MiB; request.too_many when too many wait.
 */
export async function readJsonAside(bytes: Uint8Array): Promise<JsonRead> {
  // All of one source: they are read in the order in which they came.
  const read = await turns.take('', () => readInThread(bytes));
  if (read === 'busy')
    throw new Fault('request.too_many', { detail: 'Too many large bodies are being read.' });
  return read;
}

async function readInThread(bytes: Uint8Array): Promise<JsonRead> {
  // The packed program is JavaScript; a checkout runs the source.
  const file = import.meta.url.endsWith('.ts') ? './json-value-thread.ts' : './json-value-thread.js';
  const thread = new Worker(new URL(file, import.meta.url), {
    workerData: bytes,
    name: 'json-body',
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
  });
  try {
    const [read] = (await once(thread, 'message', { signal: AbortSignal.timeout(readMsMax) })) as [JsonRead];
    return read;
  } catch (error) {
    const isTooMuch =
      error instanceof Error &&
      (error.name === 'AbortError' || ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'));
    throw isTooMuch ? new Fault('request.too_large', { internal: String(error) }) : error;
  } finally {
    await thread.terminate();
  }
}
