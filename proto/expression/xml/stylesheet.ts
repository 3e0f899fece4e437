import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

import {
  elementsOfVersion1,
  functionsOfVersion1,
  insteadOf,
  patternAttributes,
  pathAttributes,
  templateAttributes,
} from './xslt-words.ts';

const xsl = 'http://www.w3.org/1999/XSL/Transform';
/** Longest expression in a stylesheet, in characters, and most faults that are told. */
const expressionCharsMax = 4_000;
const faultsMax = 20;
/** How deep elements may stand in each other. */
const levelsMax = 100;

const requireNow = createRequire(import.meta.url);

/**
 * Everything in a stylesheet that XSLT 1.0 does not have, or that would reach out of it: with its line, and what to use instead.
 *
 * Shape: `line 4: xsl:for-each-group is of XSLT 2.0; use xsl:key with generate-id()`.
 */
export function stylesheetFaults(text: string): readonly string[] {
  const { SaxesParser } = requireNow('saxes') as typeof Saxes;
  return new Check(new SaxesParser({ xmlns: true, position: true })).read(text);
}

/** As much of the package as is used. */
interface XpathPackage {
  parse(path: string): unknown;
}

class Check {
  readonly #faults: string[] = [];
  readonly #parser: Saxes.SaxesParser<{ xmlns: true; position: true }>;
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
    return this.#faults.slice(0, faultsMax);
  }

  #say(message: string): void {
    if (!this.#isBroken) this.#faults.push(`line ${this.#parser.line}: ${message}`);
  }

  #element(tag: Saxes.SaxesTagNS): void {
    this.#level += 1;
    if (this.#level === 1) this.#root(tag);
    if (this.#level > levelsMax) this.#say(`elements are nested deeper than ${levelsMax}`);
    const name = tag.local;
    const isOwn = tag.uri === xsl;
    if (isOwn && !elementsOfVersion1.has(name)) this.#say(`xsl:${name} ${insteadOf(name)}`);
    for (const { uri, prefix, local, value } of Object.values(tag.attributes)) {
      if (prefix === 'xmlns' || local === 'xmlns') continue;
      if (local === 'extension-element-prefixes' && (isOwn || uri === xsl) && value.trim() !== '')
        this.#say('extension elements are not supported');
      if (isOwn && uri === '') this.#attribute(name, local, value);
      else if (!isOwn) this.#template(value);
    }
  }

  #root({ uri, local, attributes }: Saxes.SaxesTagNS): void {
    const isSheet = uri === xsl && (local === 'stylesheet' || local === 'transform');
    const version = isSheet ? attributes['version']?.value : attributes['xsl:version']?.value;
    if (!isSheet && version === undefined)
      this.#say('is no stylesheet: it begins with <xsl:stylesheet version="1.0">');
    else if (version !== '1.0')
      this.#say(
        `version ${JSON.stringify(version ?? '')} is not supported; write 1.0, whatever needs more is told`,
      );
  }

  #attribute(element: string, name: string, value: string): void {
    if (!elementsOfVersion1.get(element)?.has(name) && elementsOfVersion1.has(element))
      return this.#say(`attribute ${name} of xsl:${element} is not of XSLT 1.0`);
    if (pathAttributes.has(name) || (element === 'number' && name === 'value')) this.#expression(value);
    else if (patternAttributes.has(name) && element !== 'output') this.#expression(value);
    else if (templateAttributes.has(`${element} ${name}`)) this.#template(value);
  }

  /** Expressions between braces in a text; two braces are one that stands for itself. */
  #template(text: string): void {
    for (const [, inner] of text.matchAll(/\{\{|\{((?:[^{}'"]|'[^']*'|"[^"]*")*)\}/g))
      if (inner !== undefined) this.#expression(inner);
  }

  #expression(written: string): void {
    if (written.length > expressionCharsMax)
      return this.#say(`an expression is longer than ${expressionCharsMax} characters`);
    const shown = JSON.stringify(written.slice(0, 80));
    const plain = written.replaceAll(/'[^']*'|"[^"]*"/g, "''");
    for (const [, name = ''] of plain.matchAll(/([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)\s*\(/g)) {
      const [prefix, local] = name.includes(':') ? name.split(':') : [undefined, name];
      const uri = prefix === undefined ? '' : (this.#parser.resolve(prefix) ?? '');
      if (functionsOfVersion1.get(uri)?.has(local ?? '') !== true)
        this.#say(`function ${name}() in ${shown} ${insteadOf(`${name}()`)}`);
    }
    const xpath = requireNow('xpath') as XpathPackage;
    try {
      xpath.parse(written);
    } catch {
      this.#say(`${shown} is no expression of XPath 1.0`);
    }
  }
}
