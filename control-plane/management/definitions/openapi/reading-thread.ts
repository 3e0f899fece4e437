/**
 * Reads an OpenAPI document, or a description of WSDL, in a thread of its own: a document of a megabyte takes seconds, and a hostile one for ever, until whoever
 * started the thread ends it.
 *
 * Takes {@link ReadingTask} as its data and posts one {@link ReadingResult}.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type OpenApiWish, readOpenApi } from '../../../../proto/definition/openapi/open-api.ts';
import { openApiOfWsdl, withoutSoap, type WsdlWish } from '../../../../proto/definition/wsdl/wsdl.ts';
import type { WsdlText } from '../../../../proto/definition/wsdl/documents.ts';
import type { Json } from '../../../../proto/definition/opened.ts';
import { Fault, type FaultDetail } from '../../../../proto/faults/fault.ts';
import { closeBuiltIns } from '../../../../proto/process/built-ins.ts';
import { parseYaml } from '../../../../proto/process/config-file.ts';
import { plainJson } from '../../../../proto/process/json-text.ts';

closeBuiltIns();

/** What the thread is given: JSON or YAML, or a description of WSDL with what was fetched of its imports. */
export type ReadingTask =
  | { readonly kind: 'openapi'; readonly text: string; readonly wish: OpenApiWish }
  | {
      readonly kind: 'wsdl';
      readonly texts: readonly WsdlText[];
      readonly from: WsdlWish;
      readonly wish: OpenApiWish;
    };

/** What it posts; `described` is the OpenAPI document that a description was made, as text. */
export type ReadingResult =
  | { readonly kind: 'document'; readonly document: Json; readonly described?: string }
  | { readonly kind: 'needs'; readonly urls: readonly string[] }
  | { readonly kind: 'refused'; readonly details: readonly FaultDetail[] };

/** Most times that a YAML document may repeat what it named. */
const aliasesMax = 100;

parentPort?.postMessage(read(workerData as ReadingTask));

function read(task: ReadingTask): ReadingResult {
  try {
    return task.kind === 'openapi' ? readText(task.text, task.wish) : readWsdl(task.texts, task);
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid')
      return { kind: 'refused', details: error.details };
    throw error;
  }
}

function readText(text: string, wish: OpenApiWish): ReadingResult {
  let document: unknown;
  try {
    document = /^\s*\{/.test(text) ? plainJson(text) : parseYaml(text, { maxAliasCount: aliasesMax });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = error instanceof RangeError ? 'is nested too deeply' : `is neither JSON nor YAML: ${why}`;
    return { kind: 'refused', details: [{ path: '', message }] };
  }
  return { kind: 'document', document: readOpenApi(document, wish) };
}

function readWsdl(
  texts: readonly WsdlText[],
  { from, wish }: { readonly from: WsdlWish; readonly wish: OpenApiWish },
): ReadingResult {
  const made = openApiOfWsdl(texts, from);
  if (made.kind === 'needs') return made;
  const described = JSON.stringify(withoutSoap(made.document), undefined, 2);
  return { kind: 'document', document: readOpenApi(made.document, wish), described };
}
