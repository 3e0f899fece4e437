import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;

const blocks: ReadonlySet<string> = new Set(
  'address article aside blockquote dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li ol p pre section table tr ul'.split(
    ' ',
  ),
);
const unread: ReadonlySet<string> = new Set(['script', 'style', 'head', 'title', 'template']);

/** What of HTML somebody reads whose client shows text alone: a link is followed by where it leads. */
export function plainText(html: string): string {
  const parts: string[] = [];
  // Entering and leaving each node, without calls in calls: whoever writes a template chooses how deep it is nested.
  const steps: (Node | string)[] = [parseFragment(html)];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if (typeof step === 'string') parts.push(step);
    else steps.push(...partsOf(step).toReversed());
  }
  return `${parts
    .join('')
    .replaceAll(/ *\n */g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

function partsOf(node: Node): readonly (Node | string)[] {
  if ('value' in node) return [node.value.replaceAll(/\s+/g, ' ')];
  if (!('childNodes' in node)) return [];
  const name = 'tagName' in node ? node.tagName : '';
  if (unread.has(name)) return [];
  if (name === 'br') return ['\n'];
  const inside = node.childNodes;
  if (blocks.has(name)) return ['\n\n', ...(name === 'li' ? ['- '] : []), ...inside, '\n'];
  const leads =
    name === 'a' && 'attrs' in node ? node.attrs.find((attribute) => attribute.name === 'href') : undefined;
  return leads === undefined ? inside : [...inside, `: ${leads.value} `];
}
