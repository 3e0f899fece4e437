import { methodNamesOf } from '../methods.ts';
import { subjectFields } from '../subject.ts';
import type { Node } from '../tree.ts';

/** What is known of a value before there is a request. `item`: of what stands in a list, under any key of a map, or is got from parameters. */
export interface Kind {
  readonly is: 'text' | 'number' | 'boolean' | 'list' | 'map' | 'lines' | 'attributes' | 'codec';
  readonly item?: Kind | undefined;
  /** Of a map that has these keys and no others. */
  readonly fields?: ReadonlyMap<string, Kind> | undefined;
}

const text: Kind = { is: 'text' };
const number: Kind = { is: 'number' };
const boolean: Kind = { is: 'boolean' };
const texts: Kind = { is: 'list', item: text };
const lines: Kind = { is: 'lines' };
const mapOfLists: Kind = { is: 'lines', item: texts };
const map: Kind = { is: 'map' };
const codec: Kind = { is: 'codec' };

const subject: Kind = {
  is: 'map',
  fields: new Map([
    ...subjectFields.map((name): [string, Kind] => [name, text]),
    ['defined', boolean],
    ['attributes', mapOfLists],
  ]),
};

/** Of roots, and of members of roots, where each request gives the same kind (or nothing). `kinds.test.ts` holds them against what they read. */
export const rootKinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...[
    'request.id',
    'request.transactionId',
    'request.method',
    'request.uri',
    'request.path',
    'request.pathInfo',
    'request.contextPath',
    'request.host',
    'request.scheme',
    'request.version',
    'request.remoteAddress',
    'request.localAddress',
    'request.content',
    'response.content',
    'calloutResponse.content',
    'api.id',
    'api.name',
    'api.version',
    'node.id',
    'node.version',
    'node.tenant',
    'node.zone',
    'subscription.id',
    'subscription.type',
    'subscription.applicationName',
    'subscription.clientId',
  ].map((name): [string, Kind] => [name, text]),
  ...['request.params', 'request.pathParams', 'request.pathParamsRaw'].map((name): [string, Kind] => [
    name,
    mapOfLists,
  ]),
  ...['request.headers', 'response.headers', 'upstreamResponse.headers', 'calloutResponse.headers'].map(
    (name): [string, Kind] => [name, lines],
  ),
  ...['request.paths', 'request.pathInfos', 'node.shardingTags'].map((name): [string, Kind] => [name, texts]),
  ...['request', 'response', 'calloutResponse'].flatMap((name): [string, Kind][] => [
    [`${name}.jsonContent`, map],
    [`${name}.xmlContent`, map],
  ]),
  ...['request.timestamp', 'response.status', 'upstreamResponse.status', 'calloutResponse.status'].map(
    (name): [string, Kind] => [name, number],
  ),
  ['context.attributes', { is: 'attributes' }],
  ['properties', { is: 'map', item: text }],
  ['api.properties', { is: 'map', item: text }],
  ['dictionaries', { is: 'map', item: { is: 'map', item: text } }],
  ['endpoints', { is: 'map', item: text }],
  [
    'request.ssl',
    {
      is: 'map',
      fields: new Map([
        ['clientHost', text],
        ['clientPort', number],
        ['client', subject],
        ['server', subject],
      ]),
    },
  ],
]);

/** The kind of what an expression comes to, unless it fails or comes to nothing; undefined where each request may give another. */
export function kindAt(node: Node): Kind | undefined {
  switch (node.kind) {
    case 'constant':
      if (typeof node.value === 'string') return text;
      if (typeof node.value === 'boolean') return boolean;
      return node.value === null ? undefined : number;
    case 'real':
    case 'minus':
    case 'plus':
      return number;
    case 'not':
      return boolean;
    case 'variable':
      return rootKinds.get(node.name);
    case 'property':
      return memberKind(node.of, node.name);
    case 'index': {
      const { index } = node;
      const name =
        index.kind === 'name' ? index.name : index.kind === 'constant' ? String(index.value) : undefined;
      return memberKind(node.of, name);
    }
    case 'method':
      return methodKind(node);
    case 'function':
      return node.name === 'jsonEscape' || node.name === 'xmlEscape' ? text : undefined;
    case 'new':
      return /^(?:java\.lang\.)?String$/.test(node.name) ? text : undefined;
    case 'list':
      return { is: 'list' };
    case 'map':
      return map;
    case 'select':
      return selectedKind(node);
    case 'binary':
      return resultKind(node);
    case 'choice':
      return sameKind(kindAt(node.chosen), kindAt(node.otherwise));
    case 'elvis':
      return sameKind(kindAt(node.of), kindAt(node.otherwise));
    case 'name':
    case 'type':
      return undefined;
  }
}

/** name: undefined where a request says it. */
function memberKind(of: Node, name: string | undefined): Kind | undefined {
  const root = of.kind === 'variable' ? rootKinds.get(`${of.name}.${name}`) : undefined;
  const kind = kindAt(of);
  if (root !== undefined || kind === undefined) return root;
  if (kind.is === 'lines') return texts;
  if (kind.is === 'list' || kind.is === 'text')
    return isNumeral(name) ? (kind.item ?? itemOf(kind)) : undefined;
  return name === undefined ? kind.item : (kind.fields?.get(name) ?? kind.item);
}

const itemOf = (kind: Kind): Kind | undefined => (kind.is === 'text' ? text : undefined);
/** Where a request says the place it is one too, or it fails. */
const isNumeral = (name: string | undefined): boolean => name === undefined || /^\d+$/.test(name);

const results: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...['toString', 'charAt', 'substring', 'subSequence', 'toLowerCase', 'toUpperCase', 'trim', 'strip'].map(
    (name): [string, Kind] => [name, text],
  ),
  ...['stripLeading', 'stripTrailing', 'replace', 'replaceAll', 'replaceFirst', 'concat', 'repeat'].map(
    (name): [string, Kind] => [name, text],
  ),
  ...['formatted', 'intern', 'encodeToString', 'getFirst'].map((name): [string, Kind] => [name, text]),
  ...['length', 'size', 'hashCode', 'compareTo', 'compareToIgnoreCase', 'indexOf', 'lastIndexOf'].map(
    (name): [string, Kind] => [name, number],
  ),
  ...['equals', 'isEmpty', 'isBlank', 'contains', 'startsWith', 'endsWith', 'matches', 'containsKey'].map(
    (name): [string, Kind] => [name, boolean],
  ),
  ...['equalsIgnoreCase', 'containsValue', 'containsAllKeys', 'contentEquals'].map((name): [string, Kind] => [
    name,
    boolean,
  ]),
  ...['split', 'names', 'keySet', 'getAll', 'toCharArray'].map((name): [string, Kind] => [name, texts]),
  ['toSingleValueMap', { is: 'map', item: text }],
  ['withoutPadding', codec],
]);

const staticResults: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...['String', 'UUID', 'URLEncoder', 'URLDecoder'].map((name): [string, Kind] => [name, text]),
  ...['Math', 'System'].map((name): [string, Kind] => [name, number]),
  ['Base64', codec],
]);

function methodKind({ of, name }: Extract<Node, { kind: 'method' }>): Kind | undefined {
  if (of.kind === 'type') return staticResults.get(of.name.slice(of.name.lastIndexOf('.') + 1));
  const kind = kindAt(of);
  // Of a date some are otherwise.
  if (kind === undefined) return undefined;
  if (name === 'get') return kind.is === 'lines' ? (kind.item ?? text) : kind.item;
  if (name === 'entrySet' || name === 'values')
    return { is: 'list', item: name === 'values' ? kind.item : undefined };
  return results.get(name);
}

function selectedKind({ of, which }: Extract<Node, { kind: 'select' }>): Kind | undefined {
  const kind = kindAt(of);
  if (which === 'project') return { is: 'list' };
  if (kind?.is === 'map') return { is: 'map', item: kind.item };
  if (kind?.is !== 'list') return undefined;
  return which === 'all' ? kind : kind.item;
}

const yesOrNo = new Set(['==', '!=', '<', '<=', '>', '>=', '&&', '||', 'matches', 'between', 'instanceof']);

function resultKind({ operator, left, right }: Extract<Node, { kind: 'binary' }>): Kind | undefined {
  if (yesOrNo.has(operator)) return boolean;
  const [a, b] = [kindAt(left), kindAt(right)];
  if (operator === '+' && (a?.is === 'text' || b?.is === 'text')) return text;
  return a?.is === 'number' && b?.is === 'number' ? number : undefined;
}

function sameKind(one: Kind | undefined, other: Kind | undefined): Kind | undefined {
  return one !== undefined && one.is === other?.is ? { is: one.is } : undefined;
}

/** What methods give, whatever of these kinds they are called on. */
export const methodResults: ReadonlyMap<string, Kind['is']> = new Map(
  [...results].map(([name, { is }]) => [name, is]),
);

/** No kind holds others deeper. */
const insideMax = 4;

/**
 * The kinds of all that can be named behind `#`, by path, and of what stands in each.
 *
 * Shape: `request.headers` is `lines`, `request.headers[]` is `list`, `request.headers[][]` is `text`.
 */
export function kindsByPath(): ReadonlyMap<string, Kind['is']> {
  const found = new Map<string, Kind['is']>();
  const add = (path: string, kind: Kind, deep: number): void => {
    found.set(path, kind.is);
    if (deep === insideMax) return;
    for (const [name, each] of kind.fields ?? []) add(`${path}.${name}`, each, deep + 1);
    const item = kind.is === 'lines' ? texts : kind.item;
    if (item !== undefined) add(`${path}[]`, item, deep + 1);
  };
  for (const [path, kind] of rootKinds) add(path, kind, 0);
  return found;
}

/** What people call a kind. */
export const kindWords: Readonly<Record<Kind['is'], string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'a boolean',
  list: 'a list',
  map: 'a map',
  lines: 'what holds headers or parameters',
  attributes: '#context.attributes',
  codec: 'an encoder or decoder of Base64',
};

/** Names of the members that a value of that kind has; undefined where it may have any. */
export function membersOf(kind: Kind): readonly string[] | undefined {
  if (kind.fields !== undefined) return [...kind.fields.keys()];
  if (kind.is === 'map' || kind.is === 'lines' || kind.is === 'attributes') return undefined;
  const getters = methodNamesOf(kind.is).flatMap((name) => {
    const [, first, rest = ''] = /^(?:get|is)([A-Z])(\w*)$/.exec(name) ?? [];
    return first === undefined ? [] : [`${first.toLowerCase()}${rest}`];
  });
  return kind.is === 'list' ? [...getters, 'length'] : getters;
}
