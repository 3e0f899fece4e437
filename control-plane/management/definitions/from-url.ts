import { isJson, type Json } from '../../../proto/definition/opened.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { withoutNulls } from '../../../proto/model/nulls.ts';
import { parseJson } from '../../../proto/process/json-text.ts';
import type { Desk } from '../desk.ts';
import { fetchText } from '../fetches/fetch-text.ts';
import { depthMax, firstUnkeepable, tooDeepWords } from '../keepable.ts';

/** Longest URL, and longest document behind one. */
export const urlBytesMax = 2_048;
const documentBytesMax = 1_048_576;

/**
 * Fetches a definition, by the client that asks URLs of tenants.
 *
 * Errors: request.invalid for what is no URL, cannot be reached, or is no definition that a body could be.
 */
export async function definitionAt(desk: Desk, body: Uint8Array): Promise<Json> {
  const text = await fetchText(desk, {
    url: Buffer.from(body).toString('utf8').trim(),
    accept: 'application/json',
    bytesMax: documentBytesMax,
    path: 'url',
  });
  let document: unknown;
  try {
    document = parseJson(text);
  } catch (error) {
    throw refused(`answers with what is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const fault = firstUnkeepable(document);
  if (fault !== undefined) throw new Fault('request.invalid', { details: [fault] });
  if (!isJson(document)) throw refused('answers with JSON that is no object');
  const tooDeep = (): never => {
    throw refused(tooDeepWords);
  };
  return withoutNulls(document, { depthMax, refuse: tooDeep }) as Json;
}

const refused = (message: string): Fault =>
  new Fault('request.invalid', { details: [{ path: 'url', message }] });
