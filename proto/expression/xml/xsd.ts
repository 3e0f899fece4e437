import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

const xs = 'http://www.w3.org/2001/XMLSchema';
const faultsMax = 20;
/** How deep elements may stand in each other. */
const levelsMax = 100;
/** What reaches out of a schema, where it says an address. */
const reaching: ReadonlySet<string> = new Set(['include', 'import', 'redefine', 'override']);
/** Of version 1.1. */
const later: ReadonlySet<string> = new Set([
  'assert',
  'assertion',
  'alternative',
  'openContent',
  'defaultOpenContent',
  'override',
  'explicitTimezone',
]);
/** What may be referred to by its name, and attributes that refer. */
const named: ReadonlySet<string> = new Set([
  'element',
  'attribute',
  'complexType',
  'simpleType',
  'group',
  'attributeGroup',
]);
const references: ReadonlySet<string> = new Set([
  'type',
  'base',
  'ref',
  'itemType',
  'memberTypes',
  'substitutionGroup',
]);

const requireNow = createRequire(import.meta.url);

/**
 * What of a schema is none of XSD 1.0, reaches out of it, or refers to what is not in it: with its line. The rest is judged by who uses it.
 *
 * Shape: `line 4: type "order" is not in the schema`.
 */
export function schemaFaults(text: string): readonly string[] {
  const { SaxesParser } = requireNow('saxes') as typeof Saxes;
  return new Check(new SaxesParser({ xmlns: true, position: true })).read(text);
}

class Check {
  readonly #faults: string[] = [];
  readonly #parser: Saxes.SaxesParser<{ xmlns: true; position: true }>;
  readonly #names = new Set<string>();
  readonly #references: { readonly line: number; readonly attribute: string; readonly name: string }[] = [];
  #target = '';
  #level = 0;
  #isBroken = false;

  constructor(parser: Saxes.SaxesParser<{ xmlns: true; position: true }>) {
    this.#parser = parser;
  }

  read(text: string): readonly string[] {
    const parser = this.#parser;
    parser.on('error', (error) => {
      if (!this.#isBroken) this.#faults.push(`is no XML: ${error.message.slice(0, 200)}`);
      this.#isBroken = true;
    });
    parser.on('doctype', () => this.#say('a document type is not read'));
    parser.on('opentag', (tag) => this.#element(tag));
    parser.on('closetag', () => (this.#level -= 1));
    parser.write(text).close();
    if (this.#isBroken) return this.#faults.slice(0, faultsMax);
    const missing = this.#references.filter(({ name }) => !this.#names.has(name));
    return [
      ...this.#faults,
      ...missing.map(
        ({ line, attribute, name }) =>
          `line ${line}: ${attribute} ${JSON.stringify(name)} is not in the schema`,
      ),
    ].slice(0, faultsMax);
  }

  #say(message: string): void {
    if (!this.#isBroken && this.#faults.length < faultsMax)
      this.#faults.push(`line ${this.#parser.line}: ${message}`);
  }

  #element({ uri, local, attributes }: Saxes.SaxesTagNS): void {
    this.#level += 1;
    if (this.#level > levelsMax) this.#say(`elements are nested deeper than ${levelsMax}`);
    if (this.#level === 1) {
      this.#target = attributes['targetNamespace']?.value ?? '';
      if (uri !== xs || local !== 'schema')
        this.#say(`is no schema: it begins with <xs:schema xmlns:xs="${xs}">`);
      return;
    }
    if (uri !== xs) return;
    if (later.has(local)) this.#say(`xs:${local} is of XSD 1.1, and 1.0 is read`);
    else if (reaching.has(local) && attributes['schemaLocation'] !== undefined)
      this.#say(`xs:${local} reads another file, which is not read; put what it has into this one`);
    if (this.#level === 2 && named.has(local)) this.#names.add(attributes['name']?.value ?? '');
    for (const { prefix, local: attribute, value } of Object.values(attributes))
      if (prefix === '' && references.has(attribute)) this.#refer(attribute, value);
  }

  /** A name of another namespace than the schema's own is none of it, but for those that XSD has. */
  #refer(attribute: string, value: string): void {
    for (const name of value.trim().split(/[ \t\r\n]+/)) {
      const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
      const uri = this.#parser.resolve(prefix ?? '') ?? '';
      if (uri === this.#target && this.#references.length < 50_000)
        this.#references.push({ line: this.#parser.line, attribute, name: local ?? '' });
      else if (uri !== this.#target && uri !== xs && uri !== 'http://www.w3.org/XML/1998/namespace')
        this.#say(`${attribute} ${JSON.stringify(name)} is of another namespace, which is not in the schema`);
    }
  }
}
