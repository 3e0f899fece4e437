import type { Node } from '../tree.ts';

/** What stands behind these is said by whoever deploys, and by no client. */
const ownRoots: ReadonlySet<string> = new Set([
  'api',
  'properties',
  'dictionaries',
  'endpoints',
  'node',
  'secrets',
]);

/**
 * Says whether the value of an expression is the definition's own, whatever a request brings: what is looked up in something own is own,
 * whoever chose the key. Where it cannot be told it is not.
 */
export function isOwn(node: Node): boolean {
  switch (node.kind) {
    case 'constant':
    case 'real':
    case 'type':
      return true;
    case 'variable':
      return ownRoots.has(node.name);
    case 'name':
      return false;
    case 'function':
    case 'new':
      return node.args.every(isOwn);
    case 'property':
    case 'index':
      return isOwn(node.of);
    case 'method':
      return isOwn(node.of) && (node.name === 'get' || node.args.slice(keysOf(node.name)).every(isOwn));
    case 'select':
      // What is selected is a part; what is projected is made.
      return node.which !== 'project' && isOwn(node.of);
    case 'list':
      return node.items.every(isOwn);
    case 'map':
      return node.entries.every(([key, value]) => isOwn(key) && isOwn(value));
    case 'not':
    case 'minus':
    case 'plus':
      return isOwn(node.of);
    case 'binary':
      return isOwn(node.left) && isOwn(node.right);
    case 'choice':
      return isOwn(node.chosen) && isOwn(node.otherwise);
    case 'elvis':
      return isOwn(node.of) && isOwn(node.otherwise);
  }
}

/** How many of a method's arguments are keys of a look-up. */
const keysOf = (method: string): number => (method === 'getOrDefault' ? 1 : 0);

/** Of texts that are put together, those at the beginning that are own: `#properties['url'] + '/'` of `#properties['url'] + '/' + #request.path`. */
export function ownBeginning(node: Node): Node | undefined {
  if (node.kind !== 'binary' || node.operator !== '+') return undefined;
  return isOwn(node.left) ? node.left : ownBeginning(node.left);
}
