import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Fault } from '../../../../proto/faults/fault.ts';
import { createTurns } from '../../../access/turns.ts';
import type { ReadingResult, ReadingTask } from './reading-thread.ts';

/** Longest time that one document may take. */
const readMsMax = 15_000;
/** Room for a document and what is made of it. */
const heapMibMax = 512;
/** One is read at once, and so many wait; who comes then is told to come back. */
const waitingMax = 8;
const turns = createTurns({ concurrencyMax: 1, waitingPerSourceMax: waitingMax, waitingMax });

/** What came of reading, when nothing was wrong. */
export type Read = Exclude<ReadingResult, { readonly kind: 'refused' }>;

/**
 * Makes an export out of an OpenAPI document or a description of WSDL, in a thread of its own.
 *
 * Errors: request.invalid with places in `payload`, also for what takes longer than 15 s or more than 512 MiB; request.too_many when too many wait.
 */
export async function readAside(task: ReadingTask): Promise<Read> {
  // All of one source: they are read in the order in which they came.
  const result = await turns.take('', () => readInThread(task));
  if (result === 'busy')
    throw new Fault('request.too_many', { detail: 'Too many documents are being read.' });
  if (result.kind !== 'refused') return result;
  throw new Fault('request.invalid', {
    details: result.details.map(({ path, message }) => ({
      path: path === '' ? 'payload' : `payload.${path}`,
      message,
    })),
  });
}

async function readInThread(workerData: ReadingTask): Promise<ReadingResult> {
  // The packed program is JavaScript; a checkout runs the source.
  const file = import.meta.url.endsWith('.ts') ? './reading-thread.ts' : './reading-thread.js';
  const thread = new Worker(new URL(file, import.meta.url), {
    workerData,
    name: 'description',
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
  });
  try {
    const [result] = (await once(thread, 'message', { signal: AbortSignal.timeout(readMsMax) })) as [
      ReadingResult,
    ];
    return result;
  } catch (error) {
    const why = tooMuch(error);
    if (why === undefined) throw error;
    throw new Fault('request.invalid', {
      details: [{ path: 'payload', message: why }],
      internal: String(error),
    });
  } finally {
    await thread.terminate();
  }
}

function tooMuch(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'AbortError') return `takes longer than ${readMsMax / 1_000} s to read`;
  return 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? `takes more than ${heapMibMax} MiB to read`
    : undefined;
}
