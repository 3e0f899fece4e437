import { createRequire } from 'node:module';
import type * as Saxes from 'saxes';

import { TransformFailure } from '../failure.ts';

/** How deep elements may stand in each other, as the reference's. */
const levelsMax = 100;
/** Most elements, attributes and texts of a document. */
const nodesMax = 200_000;

/** 100 KiB of code, which a gateway without XML never loads. */
const requireNow = createRequire(import.meta.url);

/** An element that is being read: its members as JSON by name, in their order. */
interface Open {
  readonly name: string;
  readonly members: Map<string, string[]>;
  text: string;
}

/**
 * XML as JSON: attributes are members like elements, repeated ones a list, text beside others stands under `content`, what is empty is "".
 * Texts that look like a number, true, false or null are those. Prefixes and declarations of namespaces stay.
 *
 * Errors: TransformFailure for what is no XML, has a document type, or is past the bounds.
 * Source: the reference, whose rules are those of org.json.
 */
export function jsonOfXml(xml: string): string {
  const { SaxesParser } = requireNow('saxes') as typeof Saxes;
  return new Reader().read(xml, new SaxesParser({ xmlns: false, position: false }));
}

class Reader {
  readonly #open: Open[] = [];
  #nodes = 0;
  #json = '';

  read(xml: string, parser: Saxes.SaxesParser): string {
    parser.on('error', (error) => fail(`is no XML: ${error.message.slice(0, 200)}`));
    parser.on('doctype', () => fail('has a document type, which is not read'));
    parser.on('attribute', () => this.#count());
    parser.on('opentag', ({ name, attributes }) => {
      this.#text();
      this.#count();
      if (this.#open.length >= levelsMax) fail(`is nested deeper than ${levelsMax}`);
      const members = new Map<string, string[]>();
      for (const [attribute, value] of Object.entries(attributes as Record<string, string>))
        members.set(attribute, [jsonOfText(value)]);
      this.#open.push({ name, members, text: '' });
    });
    parser.on('text', (text) => this.#add(text));
    parser.on('cdata', (text) => this.#add(text));
    parser.on('closetag', () => this.#close());
    parser.write(xml).close();
    return this.#json === '' ? fail('is no XML: it has no element') : this.#json;
  }

  #count(): void {
    this.#nodes += 1;
    if (this.#nodes > nodesMax) fail(`has more than ${nodesMax} elements, attributes and texts`);
  }

  #add(text: string): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.text += text;
  }

  /** What was read of text up to here is a member of its own. */
  #text(): void {
    const open = this.#open.at(-1);
    const text = open?.text.trim() ?? '';
    if (open === undefined || text === '') return;
    this.#count();
    open.text = '';
    addTo(open.members, 'content', jsonOfText(text));
  }

  #close(): void {
    this.#text();
    const open = this.#open.pop();
    if (open === undefined) return;
    const value = jsonOfMembers(open.members);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#json = `{${JSON.stringify(open.name)}:${value}}`;
    else addTo(parent.members, open.name, value);
  }
}

function addTo(members: Map<string, string[]>, name: string, value: string): void {
  const others = members.get(name);
  if (others === undefined) members.set(name, [value]);
  else others.push(value);
}

function jsonOfMembers(members: ReadonlyMap<string, readonly string[]>): string {
  const list = (values: readonly string[]): string =>
    values.length === 1 ? (values[0] ?? '') : `[${values.join(',')}]`;
  const content = members.get('content');
  if (members.size === 0) return '""';
  if (members.size === 1 && content !== undefined) return list(content);
  const written = [...members].map(([name, values]) => `${JSON.stringify(name)}:${list(values)}`);
  return `{${written.join(',')}}`;
}

/** What a text is as JSON: a whole number keeps its digits, unless it begins with a zero; another number is a double. */
function jsonOfText(text: string): string {
  if (/^(true|false|null)$/i.test(text)) return text.toLowerCase();
  if (/^-?(0|[1-9]\d*)$/.test(text)) return text;
  if (!/^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return JSON.stringify(text);
  const number = Number(text);
  return Number.isFinite(number) ? String(number) : JSON.stringify(text);
}

function fail(why: string): never {
  throw new TransformFailure(why);
}
