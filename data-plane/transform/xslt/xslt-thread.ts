import fs from 'node:fs';
import { LRUCache } from 'lru-cache';

import { invariant } from '../../../proto/faults/fault.ts';
import { closeBuiltIns } from '../../../proto/process/built-ins.ts';
import { boundThread } from '../thread/bounded-memory.ts';
import { serveJobs } from '../thread/serve-jobs.ts';

closeBuiltIns();

/*
 * The thread in which libxslt runs: it has a memory of its own that ends at a bound, no network and no files, and is killed by its time.
 */

/** What a thread is asked, one at a time. */
export interface XsltJob {
  readonly stylesheet: string;
  readonly xml: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Stylesheets that are kept read. */
const stylesheetsMax = 20;
/** Longest result, in characters. */
const resultCharsMax = 16 * 1024 * 1024;
/** Where a document of libxml2 says that it has a document type (its `intSubset`). */
const doctypeOffset = 44;

declare const WebAssembly: object;

// The package calls JavaScript in the midst of C. Of the whole process, so that it is switched on where that starts.
invariant(
  'Suspending' in WebAssembly,
  'the process was started with promises of WebAssembly (small-start.ts)',
);
const isSpent = boundThread();
// It writes what it makes of a body to the process's own output, past what a thread is given; there is nothing else here that writes.
Reflect.set(fs, 'writeSync', () => 0);
const { XmlDocument, XsltStylesheet } = await import('libxslt-wasm');
const { registerModule } = await import('libxslt-wasm/exslt');
const { getValue } = await import('libxslt-wasm/internal/emscripten');
for (const name of ['common', 'math', 'sets', 'strings'] as const) registerModule(name);

type Document = Awaited<ReturnType<typeof XmlDocument.fromString>>;
type Stylesheet = Awaited<ReturnType<typeof XsltStylesheet.fromString>>;

const known = new LRUCache<string, Stylesheet>({
  max: stylesheetsMax,
  dispose: (stylesheet) => stylesheet.delete(),
});
const options = { noNet: true, noXxe: true };

async function transform({ stylesheet, xml, parameters }: XsltJob): Promise<string> {
  let sheet = known.get(stylesheet);
  if (sheet === undefined) {
    // It is part of the stylesheet from here on, and goes with it.
    sheet = await XsltStylesheet.fromXmlDocument(await XmlDocument.fromString(stylesheet, { options }));
    known.set(stylesheet, sheet);
  }
  const document = await XmlDocument.fromString(xml, { options });
  try {
    if (getValue(document.byteOffset + doctypeOffset, 'i32') !== 0)
      throw new Error('a document type is not read');
    return await result(sheet, document, parameters);
  } finally {
    document.delete();
  }
}

async function result(
  sheet: Stylesheet,
  document: Document,
  parameters: XsltJob['parameters'],
): Promise<string> {
  const given = Object.fromEntries(parameters.map(([name, value]) => [name, literalOf(value)]));
  const made = await sheet.apply(document, given);
  try {
    const text = sheet.applyToString(made);
    if (text.length > resultCharsMax)
      throw new Error(`the result is longer than ${resultCharsMax} characters`);
    return text;
  } finally {
    made.delete();
  }
}

/** A text as XPath writes it, which has no way to write both quotes in one. */
function literalOf(text: string): string {
  if (!text.includes("'")) return `'${text}'`;
  if (!text.includes('"')) return `"${text}"`;
  const parts = text.split("'").map((part) => `'${part}'`);
  return `concat(${parts.join(`,"'",`)})`;
}

serveJobs(async (job: XsltJob) => {
  try {
    return { kind: 'made', text: await transform(job), isSpent: false };
  } catch (error) {
    const why = `cannot be transformed: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'failed', why, isSpent: isSpent(error) };
  }
});
