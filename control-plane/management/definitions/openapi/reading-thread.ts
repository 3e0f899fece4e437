/**
 * Reads an OpenAPI document in a thread of its own: a document of a megabyte takes seconds, and a hostile one for ever, until whoever
 * started the thread ends it.
 *
 * Takes {@link ReadingTask} as its data and posts one {@link ReadingResult}.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type OpenApiWish, readOpenApi } from '../../../../proto/definition/openapi/open-api.ts';
import type { Json } from '../../../../proto/definition/opened.ts';
import { Fault, type FaultDetail } from '../../../../proto/faults/fault.ts';
import { closeBuiltIns } from '../../../../proto/process/built-ins.ts';
import { parseYaml } from '../../../../proto/process/config-file.ts';
import { plainJson } from '../../../../proto/process/json-text.ts';

closeBuiltIns();

/** What the thread is given. */
export interface ReadingTask {
  /** JSON or YAML. */
  readonly text: string;
  readonly wish: OpenApiWish;
}

/** What it posts. */
export type ReadingResult =
  | { readonly kind: 'document'; readonly document: Json }
  | { readonly kind: 'refused'; readonly details: readonly FaultDetail[] };

/** Most times that a YAML document may repeat what it named. */
const aliasesMax = 100;

parentPort?.postMessage(read(workerData as ReadingTask));

function read({ text, wish }: ReadingTask): ReadingResult {
  let document: unknown;
  try {
    document = /^\s*\{/.test(text) ? plainJson(text) : parseYaml(text, { maxAliasCount: aliasesMax });
  } catch (error) {
    const message = `is neither JSON nor YAML: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'refused', details: [{ path: '', message }] };
  }
  try {
    return { kind: 'document', document: readOpenApi(document, wish) };
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid')
      return { kind: 'refused', details: error.details };
    throw error;
  }
}
