import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';

import { EvaluationFailure, fail } from '../failure.ts';
import { Real, toText, type Value } from '../values.ts';
import { spend } from '../work.ts';
import { nodeTypes, readXml, type XmlDocument, type XmlNode } from './document.ts';

/** Most characters of a path, and paths that are kept read. */
const pathCharsMax = 1_000;
const pathsMax = 500;
/** What a node takes in each part of a path, in units of work, as measured. */
const visitUnits = 30;

const types = ['string', 'number', 'boolean', 'node', 'node_list', 'document_list'] as const;
type Type = (typeof types)[number];

/** As much of the package as is used; its own types would bring a browser's into every file. */
interface XpathPackage {
  parse(path: string): XpathEvaluator;
}

interface XpathEvaluator {
  evaluateString(options: XpathOptions): string;
  evaluateNumber(options: XpathOptions): number;
  evaluateBoolean(options: XpathOptions): boolean;
  select(options: XpathOptions): readonly XmlNode[];
}

interface XpathOptions {
  readonly node: XmlNode;
  /** None is bound. */
  readonly namespaces: (prefix: string) => null;
}

/** 200 KiB of code, which a gateway without XPath never loads. */
const requireNow = createRequire(import.meta.url);
const known = new LRUCache<string, XpathEvaluator>({ max: pathsMax });

/**
 * `#xpath(text, path [, type])`, XPath 1.0.
 *
 * Without a type it gives the text of the first node, '' where nothing matches, and takes names as they are written. With one it knows
 * namespaces and has no prefix for any: `local-name()` finds what is in one. Nodes are given as their text.
 */
export function xpath([of = null, path = null, type = null]: readonly Value[]): Value {
  const text = toText(of) ?? fail('the XML is nothing');
  const written = toText(path) ?? fail('the path is nothing');
  const wanted = typeNamed(toText(type));
  const document = readXml(text, wanted === undefined ? 'plain' : 'spaced');
  spend(workOf(written, document));
  const evaluator = pathOf(written);
  return failing(written, () => evaluated(evaluator, { node: document.root, wanted }));
}

function typeNamed(name: string | null): Type | undefined {
  if (name === null) return undefined;
  return (
    types.find((type) => type === name.toLowerCase()) ??
    fail(`XPath has no type ${JSON.stringify(name)}; there are ${types.join(', ')}`)
  );
}

function pathOf(path: string): XpathEvaluator {
  const found = known.get(path);
  if (found !== undefined) return found;
  if (path.length > pathCharsMax) return fail(`a path is longer than ${pathCharsMax} characters`);
  const engine = requireNow('xpath') as XpathPackage;
  return failing(path, () => {
    const made = engine.parse(path);
    known.set(path, made);
    return made;
  });
}

function evaluated(
  path: XpathEvaluator,
  { node, wanted }: { readonly node: XmlNode; readonly wanted: Type | undefined },
): Value {
  const options = { node, namespaces: () => null };
  if (wanted === 'number') return new Real(path.evaluateNumber(options));
  if (wanted === 'boolean') return path.evaluateBoolean(options);
  if (wanted === undefined || wanted === 'string' || wanted === 'node') return path.evaluateString(options);
  return path.select(options).map(textOf);
}

function textOf(node: XmlNode): string {
  const isHolder = node.nodeType === nodeTypes.element || node.nodeType === nodeTypes.document;
  return isHolder ? node.childNodes.map(textOf).join('') : (node.nodeValue ?? '');
}

/** Whatever the library throws is about the path: the document was read before. */
function failing<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof EvaluationFailure || error instanceof RangeError) throw error;
    return fail(
      `the path ${JSON.stringify(path.slice(0, 200))} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/**
 * What evaluating takes at most, in units of work; an evaluation cannot be stopped, so it is paid for before.
 *
 * Each part of a path may look at every node. Each step that does not only go down (`//`, `..`, an axis, a path from the root inside a condition) may look at every node for every node
 * that it comes from. Whatever calls something, or compares in a condition, may read the text of each of those nodes.
 */
function workOf(path: string, { nodes, chars, depth }: XmlDocument): number {
  const wide = Math.max(1, path.match(/\/\/|\.\.|::|\[\s*\/(?!\/)|[(,|=<>]\s*\/(?!\/)/g)?.length ?? 0);
  const calls = 1 + (path.match(/[(,]/g)?.length ?? 0);
  const parts = 1 + (path.match(/[/|[(,]/g)?.length ?? 0);
  const reads = path.includes('[') ? nodes ** (wide - 1) : 1;
  return nodes ** wide + nodes * parts * visitUnits + (reads * (chars * depth * calls)) / 8;
}
