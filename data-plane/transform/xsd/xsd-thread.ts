import { LRUCache } from 'lru-cache';

import { closeBuiltIns } from '../../../proto/process/built-ins.ts';
import { boundThread } from '../thread/bounded-memory.ts';
import { serveJobs } from '../thread/serve-jobs.ts';

closeBuiltIns();

/*
 * The thread in which libxml2 holds documents against schemas: it has a memory of its own that ends at a bound, no network and no files, and is
 * killed by its time.
 */

/** What a thread is asked, one at a time. */
export interface XsdJob {
  readonly schema: string;
  /** As it came, in the encoding that it says itself; or as text, where its message says the encoding. */
  readonly xml: Uint8Array | string;
}

/** Schemas that are kept compiled. */
const schemasMax = 20;
const saidCharsMax = 500;

const isSpent = boundThread();
const { ParseOption, XmlDocument, XmlLibError, XsdValidator } = await import('libxml2-wasm');

const known = new LRUCache<string, InstanceType<typeof XsdValidator>>({
  max: schemasMax,
  dispose: (validator) => validator.dispose(),
});
const option =
  ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NO_SYS_CATALOG;

function validatorOf(schema: string): InstanceType<typeof XsdValidator> {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const document = XmlDocument.fromString(schema, { option });
  try {
    const made = XsdValidator.fromDoc(document);
    known.set(schema, made);
    return made;
  } catch (error) {
    throw new Error(`the schema cannot be used: ${wordsOf(error)}`, { cause: error });
  } finally {
    document.dispose();
  }
}

/** Why a document does not fit; empty when it does. */
function judge({ schema, xml }: XsdJob): string {
  const validator = validatorOf(schema);
  let document: InstanceType<typeof XmlDocument>;
  try {
    document =
      typeof xml === 'string'
        ? XmlDocument.fromString(xml, { option })
        : XmlDocument.fromBuffer(xml, { option });
  } catch (error) {
    if (error instanceof XmlLibError) return `is no XML: ${wordsOf(error)}`;
    throw error;
  }
  try {
    if (document.dtd !== null) return 'has a document type, which is not read';
    validator.validate(document);
    return '';
  } catch (error) {
    if (error instanceof XmlLibError) return wordsOf(error);
    throw error;
  } finally {
    document.dispose();
  }
}

const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().slice(0, saidCharsMax);

serveJobs(async (job: XsdJob) => {
  try {
    const text = judge(job);
    return { kind: 'made', text, isSpent: text !== '' && isSpent() };
  } catch (error) {
    return { kind: 'failed', why: wordsOf(error), isSpent: isSpent(error) };
  }
});
