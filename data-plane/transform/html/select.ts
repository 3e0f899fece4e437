import { createRequire } from 'node:module';
import type * as Css from 'css-select';
import type * as Parse5 from 'parse5';
import type * as Adapter from 'parse5-htmlparser2-tree-adapter';
import type { Htmlparser2TreeAdapterMap } from 'parse5-htmlparser2-tree-adapter';

import { TransformFailure } from '../failure.ts';

/** How deep elements may stand in each other, and how many there may be: selectors by place cost what the square of them does. */
const levelsMax = 500;
const nodesMax = 20_000;
/** What all texts that are taken of a page may be together: elements that stand in each other have the same text as often. */
const charsMax = 16 * 1024 * 1024;

/** Half a megabyte of code, which a gateway without HTML never loads. */
const requireNow = createRequire(import.meta.url);

type ChildNode = Htmlparser2TreeAdapterMap['childNode'];
type Element = Htmlparser2TreeAdapterMap['element'];
type Document = Htmlparser2TreeAdapterMap['document'];

/** Finds elements of a page, in their order. */
export type Selector = (page: Document) => readonly Element[];

/** Reads a selector of CSS. Errors: TransformFailure that says what is wrong with it. */
export function selectorOf(written: string): Selector {
  const { compile, selectAll } = requireNow('css-select') as typeof Css;
  try {
    const query = compile<ChildNode, Element>(written);
    return (page) => selectAll<ChildNode, Element>(query, page.children);
  } catch (error) {
    throw new TransformFailure(error instanceof Error ? error.message : String(error));
  }
}

/** Reads a page as browsers do. Errors: TransformFailure past the bounds. */
export function pageOf(html: string): Document {
  const { parse } = requireNow('parse5') as typeof Parse5;
  const { adapter } = requireNow('parse5-htmlparser2-tree-adapter') as typeof Adapter;
  let nodes = 0;
  const bounded: typeof adapter = {
    ...adapter,
    createElement(...given) {
      nodes += 1;
      if (nodes > nodesMax) throw new TransformFailure(`has more than ${nodesMax} elements`);
      return adapter.createElement(...given);
    },
  };
  const page = parse(html, { treeAdapter: bounded });
  for (const { level } of walk(page))
    if (level > levelsMax) throw new TransformFailure(`is nested deeper than ${levelsMax}`);
  return page;
}

/**
 * Reads of one page the text of an element as it is shown: blanks beside each other are one, and blocks are apart. Errors: TransformFailure
 * once the texts are too much together.
 */
export function textReader(): (element: Element) => string {
  let chars = 0;
  return (element) => {
    let text = '';
    for (const { node } of walk(element)) {
      const more =
        node.type === 'text' ? node.data : node.type === 'tag' && !inline.has(node.name) ? ' ' : '';
      // A step costs something, whatever it brings.
      chars += more.length + 1;
      if (chars > charsMax)
        throw new TransformFailure(`has more than ${charsMax} characters in what is taken of it`);
      text += more;
    }
    return text.replaceAll(/\s+/g, ' ').trim();
  };
}

/** Elements that do not part the words around them. */
const inline = new Set(
  `a abbr acronym b basefont bdi bdo big cite code del dfn em font i img ins kbd label map mark meter output q rp rt
  ruby s samp small span strike strong sub sup tt u var wbr`.split(/\s+/),
);

/** Every node below, in its order, and once more each element of which the children have been passed; a stack of our own, for a page may be deep. */
function* walk(root: Document | Element): Generator<{ readonly node: ChildNode; readonly level: number }> {
  const stack: { node: ChildNode; level: number; isLeft: boolean }[] = [];
  const push = (children: readonly ChildNode[], level: number): void => {
    for (const node of children.toReversed()) stack.push({ node, level, isLeft: false });
  };
  push(root.children, 1);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, level, isLeft } = next;
    yield { node, level };
    if (isLeft || !('children' in node)) continue;
    stack.push({ node, level, isLeft: true });
    push(node.children, level + 1);
  }
}
