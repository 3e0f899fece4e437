import { invalid } from '../clean.ts';
import type { SoapOperation, SoapVersion } from './description.ts';
import type { Attribute, Shape } from './shapes.ts';

const envelopes: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
};
const instance = 'http://www.w3.org/2001/XMLSchema-instance';
/** Under this name a client says what stands in the header of the envelope. */
export const headerMember = 'soapHeader';

/** Longest expression, as the language has it. */
const expressionCharsMax = 10_000;
/** Where expressions find what a client has sent. */
const sent = '#request.jsonContent';

/**
 * The envelope of an operation as a template: what a client sends as JSON stands in it by expressions, each value through `#xmlEscape`, so
 * that it stays text. What is not sent is left out, a list is an element for each item.
 *
 * Errors: request.invalid where a part is too large for an expression, or a namespace has a brace, which would begin one.
 */
export function envelopeOf({ body, headers, name }: SoapOperation, version: SoapVersion): string {
  const writer = new Writer();
  const header = headers.map((shape) =>
    writer.member(shape, { base: `${sent}?.['${headerMember}']`, isSure: false }),
  );
  const content = body === undefined ? '' : writer.root(body, sent);
  const declared = [...writer.prefixes].map(([uri, prefix]) => ` xmlns:${prefix}="${escaped(uri)}"`).join('');
  const text = [
    `<soapenv:Envelope xmlns:soapenv="${envelopes[version]}"${declared}>`,
    header.length === 0 ? '' : `<soapenv:Header>${header.join('')}</soapenv:Header>`,
    `<soapenv:Body>${content}</soapenv:Body></soapenv:Envelope>`,
  ].join('');
  const isTooLong = writer.longest > expressionCharsMax;
  const hasBrace = [...writer.prefixes.keys()].some((uri) => /[{}]/.test(uri));
  if (isTooLong || hasBrace)
    throw invalid([
      {
        path: '',
        message: isTooLong
          ? `operation "${name}": what repeats in it makes an expression of more than ${expressionCharsMax} characters`
          : `operation "${name}": a namespace with a brace cannot be written`,
      },
    ]);
  return text;
}

/** Where in an envelope something is written. */
interface Spot {
  /** The expression of what encloses it. */
  readonly base: string;
  /** Whether that is always there. */
  readonly isSure: boolean;
}

class Writer {
  readonly prefixes = new Map<string, string>();
  longest = 0;

  /** The element of the body: its children are the members of what was sent. */
  root(shape: Shape, base: string): string {
    const { content } = shape;
    const name = this.#name(shape);
    // A value alone is sent as it is (`"7"`, or `7`), which is no object for `jsonContent`.
    if (content.kind === 'value')
      return `<${name}>${this.#expression(`#xmlEscape(#jsonPath(#request.content, '$')) ?: ''`)}</${name}>`;
    const attributes = content.attributes
      .map((each) => this.#expression(this.#attribute(each, base)))
      .join('');
    const value =
      content.value === undefined ? '' : this.#expression(`#xmlEscape(${base}?.['content']) ?: ''`);
    const children = content.elements.map((each) => this.member(each, { base, isSure: true })).join('');
    return `<${name}${attributes}>${value}${children}</${name}>`;
  }

  /** An element as text with expressions in it, as far as it is there once: expressions are short then. */
  member(shape: Shape, { base, isSure }: Spot): string {
    const { content, isList, isNillable } = shape;
    if (content.kind === 'value' || isList || isNillable || content.value !== undefined)
      return this.#expression(this.#written(shape, base));
    const at = memberOf(base, shape);
    const name = this.#name(shape);
    const isThere = isSure && shape.isRequired;
    const attributes = content.attributes.map((each) => this.#attribute(each, at));
    const children = content.elements
      .map((each) => this.member(each, { base: at, isSure: isThere }))
      .join('');
    if (isThere)
      return `<${name}${attributes.map((each) => this.#expression(each)).join('')}>${children}</${name}>`;
    const opened = [`'<${name}'`, ...attributes, `'>'`].join(' + ');
    return `${this.#expression(`${at} == null ? '' : ${opened}`)}${children}${this.#expression(`${at} == null ? '' : '</${name}>'`)}`;
  }

  /** An element as one expression. */
  #written(shape: Shape, base: string): string {
    const at = memberOf(base, shape);
    const name = this.#name(shape);
    const absent = shape.isNillable
      ? `(${base}?.containsKey('${shape.local}') == true ? '<${name} ${this.#prefix(instance)}:nil="true"/>' : '')`
      : `''`;
    const there = shape.isList
      ? `T(String).join('', ${at}.![${this.#item(shape, '#this')}])`
      : this.#item(shape, at);
    return `(${at} == null ? ${absent} : ${there})`;
  }

  #item({ content, ...shape }: Shape, at: string): string {
    const name = this.#name(shape);
    if (content.kind === 'value') return `'<${name}>' + (#xmlEscape(${at}) ?: '') + '</${name}>'`;
    const inner = content.elements.map((each) => this.#written(each, at));
    return [
      `'<${name}'`,
      ...content.attributes.map((each) => this.#attribute(each, at)),
      `'>'`,
      ...(content.value === undefined ? [] : [`(#xmlEscape(${at}?.['content']) ?: '')`]),
      ...inner,
      `'</${name}>'`,
    ].join(' + ');
  }

  #attribute(attribute: Attribute, base: string): string {
    const at = memberOf(base, attribute);
    return `(${at} == null ? '' : ' ${this.#name(attribute)}="' + #xmlEscape(${at}) + '"')`;
  }

  #name({ local, uri }: Pick<Shape, 'local' | 'uri'>): string {
    return uri === '' ? local : `${this.#prefix(uri)}:${local}`;
  }

  #prefix(uri: string): string {
    const prefix = this.prefixes.get(uri) ?? (uri === instance ? 'xsi' : `ns${this.prefixes.size + 1}`);
    this.prefixes.set(uri, prefix);
    return prefix;
  }

  #expression(text: string): string {
    this.longest = Math.max(this.longest, text.length + 3);
    // One that begins with anything but `#` is an expression in parentheses.
    return text.startsWith('#') ? `{${text}}` : text.startsWith('(') ? `{${text}}` : `{(${text})}`;
  }
}

const memberOf = (base: string, { local }: { readonly local: string }): string => `${base}?.['${local}']`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
