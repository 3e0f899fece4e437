import { createRedactor } from '../../model/redaction.ts';
import { invalid } from '../clean.ts';
import { childrenOf, newElementBudget, readElements, type XmlElement } from './xml.ts';

/** Namespaces of what a description is written in. */
export const wsdl = 'http://schemas.xmlsoap.org/wsdl/';
export const xsd = 'http://www.w3.org/2001/XMLSchema';
const wsdl2 = 'http://www.w3.org/ns/wsdl';
/** What every reader knows, and nobody has to fetch. */
const known: ReadonlySet<string> = new Set([
  'http://www.w3.org/XML/1998/namespace',
  'http://schemas.xmlsoap.org/soap/encoding/',
  'http://schemas.xmlsoap.org/soap/envelope/',
]);

/** Most documents of one import, and most characters of all of them. */
export const documentsMax = 50;
/** See {@link documentsMax}. */
export const documentsCharsMax = 10_485_760;

/** A text, and where it comes from; '' for one that comes with the request. */
export interface WsdlText {
  readonly url: string;
  readonly text: string;
}

/** A schema in its document. */
export interface Schema {
  readonly element: XmlElement;
  /** Its own, or, where it has none, that of the one that includes it. */
  readonly target: string;
  /** Names without a prefix are of the target then. */
  readonly isOfIncluder: boolean;
}

/** All documents of a description. */
export interface Documents {
  readonly definitions: readonly XmlElement[];
  readonly schemas: readonly Schema[];
}

/** What came of reading: everything, or what has to be fetched first. */
export type DocumentsRead =
  | { readonly kind: 'whole'; readonly documents: Documents }
  | { readonly kind: 'needs'; readonly urls: readonly string[] };

/**
 * Reads a description of WSDL 1.1 with what it imports. The first text is the description; the others are what the answer asked for before.
 *
 * Errors: request.invalid for what is no such description, imports what has no URL of http or https, or is past a bound.
 */
export function readDocuments(texts: readonly WsdlText[]): DocumentsRead {
  const [first] = texts;
  if (first === undefined) throw refusal('is empty');
  const chars = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (chars > documentsCharsMax)
    throw refusal(`has more than ${documentsCharsMax} characters with what it imports`);
  return new Reader(texts).read(first.url);
}

class Reader {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #roots = new Map<string, XmlElement>();
  readonly #budget = newElementBudget();
  readonly #needed = new Set<string>();
  readonly #definitions: XmlElement[] = [];
  readonly #schemas: Schema[] = [];
  /** What was read already, by its URL and, of schemas, by what it is included as. */
  readonly #seen = new Set<string>();

  constructor(texts: readonly WsdlText[]) {
    this.#texts = new Map(texts.map(({ url, text }) => [url, text]));
  }

  read(url: string): DocumentsRead {
    this.#definitionsAt(url);
    if (this.#roots.size + this.#needed.size > documentsMax)
      throw refusal(`imports more than ${documentsMax} documents`);
    if (this.#needed.size > 0) return { kind: 'needs', urls: [...this.#needed] };
    return { kind: 'whole', documents: { definitions: this.#definitions, schemas: this.#schemas } };
  }

  /** Undefined for what has to be fetched. */
  #root(url: string): XmlElement | undefined {
    const before = this.#roots.get(url);
    if (before !== undefined) return before;
    const text = this.#texts.get(url);
    if (text === undefined) return void this.#needed.add(url);
    try {
      const root = readElements(text, this.#budget);
      this.#roots.set(url, root);
      return root;
    } catch (error) {
      throw url === '' ? error : placed(error, url);
    }
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #definitionsAt(url: string): void {
    if (!this.#isNew(`definitions ${url}`)) return;
    const root = this.#root(url);
    if (root === undefined) return;
    // An import may lead to a schema as well.
    if (root.name === `{${xsd}}schema`) return this.#schema(root, { url, includer: undefined });
    if (root.name === `{${wsdl2}}description`)
      throw refusal('is of WSDL 2.0; 1.1 is read, which most services offer beside it');
    if (root.name !== `{${wsdl}}definitions`)
      throw refusal(
        `line ${root.line}: <${root.local}> is no description of WSDL 1.1, which begins with <definitions xmlns="${wsdl}">`,
      );
    this.#definitions.push(root);
    for (const element of childrenOf(root, `{${wsdl}}import`)) {
      const at = this.#located(element, 'location', url);
      if (at !== undefined) this.#definitionsAt(at);
    }
    for (const types of childrenOf(root, `{${wsdl}}types`))
      for (const schema of childrenOf(types, `{${xsd}}schema`))
        this.#schema(schema, { url, includer: undefined });
  }

  #schema(element: XmlElement, from: { readonly url: string; readonly includer: string | undefined }): void {
    const own = element.attributes.get('targetNamespace');
    const target = own ?? from.includer ?? '';
    this.#schemas.push({
      element,
      target,
      isOfIncluder: own === undefined && from.includer !== undefined,
    });
    for (const child of element.children) {
      if (child.name === `{${xsd}}redefine`)
        throw refusal(`line ${child.line}: xs:redefine is not read; write what it changes into the schema`);
      const isInclude = child.name === `{${xsd}}include`;
      if (!isInclude && child.name !== `{${xsd}}import`) continue;
      if (known.has(child.attributes.get('namespace') ?? '')) continue;
      const at = this.#located(child, 'schemaLocation', from.url);
      if (at === undefined || !this.#isNew(`schema ${at} ${isInclude ? target : ''}`)) continue;
      const root = this.#root(at);
      if (root === undefined) continue;
      // The schemas of a description may be imported from it.
      if (root.name === `{${wsdl}}definitions`) this.#definitionsAt(at);
      else if (root.name !== `{${xsd}}schema`) throw refusal(`${shown(at)} is no schema`);
      else this.#schema(root, { url: at, includer: isInclude ? target : undefined });
    }
  }

  /** Where a document is that is imported; undefined where nothing is said. */
  #located(element: XmlElement, attribute: string, base: string): string | undefined {
    const location = element.attributes.get(attribute)?.trim() ?? '';
    if (location === '') return undefined;
    const whole =
      base === '' ? (URL.canParse(location) ? new URL(location) : undefined) : parsed(location, base);
    if (whole === undefined || !/^https?:$/.test(whole.protocol))
      throw refusal(
        `line ${element.line}: imports ${JSON.stringify(shown(location).slice(0, 200))}, which is no URL of http or https; put what it holds into the description, or import the description by its URL`,
      );
    whole.hash = '';
    return whole.href;
  }
}

const parsed = (location: string, base: string): URL | undefined =>
  URL.canParse(location, base) ? new URL(location, base) : undefined;

/** Without the keys in it, which whoever reads the fault may not have. */
const shown = (url: string): string => redactor.uri(url);
const redactor = createRedactor();

const refusal = (message: string): Error => invalid([{ path: '', message }]);

/** The same fault, with the document that has it. */
function placed(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || !('details' in error) || !Array.isArray(error.details)) return error;
  return invalid(
    (error.details as readonly { readonly path: string; readonly message: string }[]).map(
      ({ path, message }) => ({ path, message: `${shown(url)}: ${message}` }),
    ),
  );
}
