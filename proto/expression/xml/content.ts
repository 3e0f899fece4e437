import { EvaluationFailure } from '../failure.ts';
import type { Value } from '../values.ts';
import { spend } from '../work.ts';
import { nodeTypes, readXml, type XmlNode } from './document.ts';

/** What a node takes as a member of a map, in units of work, as measured. */
const memberUnits = 80;

/**
 * XML as a map, as the reference has it: the root element is the first key, attributes are keys like elements, repeated ones become a list,
 * text beside others has the key '', prefixes are gone, all of it is text. What is no XML is an empty map.
 */
export function xmlContentOf(text: string): Value {
  try {
    const { element, nodes } = readXml(text, 'spaced');
    spend(nodes * memberUnits);
    return new Map([[nameOf(element), contentOf(element)]]);
  } catch (error) {
    if (error instanceof EvaluationFailure) return new Map();
    throw error;
  }
}

const nameOf = (node: XmlNode): string => node.localName ?? node.nodeName;

function contentOf(element: XmlNode): Value {
  const members = new Map<string, Value[]>();
  const add = (name: string, value: Value): void => {
    const others = members.get(name);
    if (others === undefined) members.set(name, [value]);
    else others.push(value);
  };
  for (const attribute of element.attributes?.list ?? []) add(nameOf(attribute), attribute.nodeValue ?? '');
  let text = '';
  for (const child of element.childNodes) {
    if (child.nodeType === nodeTypes.element) add(nameOf(child), contentOf(child));
    else if (child.nodeType === nodeTypes.text) text += child.nodeValue ?? '';
  }
  if (members.size === 0) return text;
  if (text.trim() !== '') add('', text);
  return new Map(
    [...members].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}
