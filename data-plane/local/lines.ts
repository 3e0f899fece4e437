import { readFile } from 'node:fs/promises';
import { isCollection, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';

/** The line of a place in a file, from 1: that of the deepest part of its path that is there; undefined where it cannot be told. */
export type LineOf = (path: string, document?: number) => number | undefined;

/** Where definitions stand in what holds them. */
const holders = ['api', 'spec'];

/** Says where places of a file stand; of a file that cannot be read again it says nothing. */
export async function linesOf(file: string): Promise<LineOf> {
  try {
    return linesIn(await readFile(file, 'utf8'));
  } catch {
    return () => undefined;
  }
}

/** The same of a text in JSON or YAML. */
export function linesIn(text: string): LineOf {
  const lineCounter = new LineCounter();
  const documents = [...parseAllDocuments(text, { lineCounter })].flatMap(({ contents }) =>
    itemsOf(contents),
  );
  return (path, document = 1) => {
    const root = documents[document - 1];
    if (path === '' || !isCollection(root)) return undefined;
    const keys = keysOf(path);
    const offset = [[], ...holders.map((holder) => [holder])]
      .map((before) => offsetOf(root, [...before, ...keys], before.length))
      .find((found) => found !== undefined);
    return offset === undefined ? undefined : lineCounter.linePos(offset).line;
  };
}

/** `plans[0].security` as the keys that lead there; a key that holds a dot is found as far as the dot. */
function keysOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) =>
    index === undefined ? name : Number(index),
  );
}

/** Where the last of the keys that is there begins; undefined where the way ends before more than `least` of them. */
function offsetOf(root: unknown, keys: readonly (string | number)[], least: number): number | undefined {
  let node = root;
  let offset: number | undefined;
  for (const [depth, key] of keys.entries()) {
    const found = isSeq(node) && typeof key === 'number' ? itemAt(node.items, key) : pairOf(node, key);
    if (found === undefined) return depth > least ? offset : undefined;
    offset = found.offset ?? offset;
    node = found.value;
  }
  return offset;
}

interface Found {
  readonly offset: number | undefined;
  readonly value: unknown;
}

function itemAt(items: readonly unknown[], index: number): Found | undefined {
  const value = items[index];
  return value === undefined ? undefined : { offset: startOf(value), value };
}

function pairOf(node: unknown, key: string | number): Found | undefined {
  if (!isMap(node)) return undefined;
  // Plans may be a map, whose places are counted.
  const pair =
    typeof key === 'number'
      ? node.items[key]
      : node.items.find((each) => isScalar(each.key) && String(each.key.value) === key);
  return pair === undefined ? undefined : { offset: startOf(pair.key), value: pair.value };
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) ? node.range?.[0] : undefined;
}

/** `kubectl get -o yaml` writes several objects as one. */
function itemsOf(contents: unknown): readonly unknown[] {
  if (contents === null) return [];
  const items =
    isMap(contents) && String(contents.get('kind')).endsWith('List') ? contents.get('items') : undefined;
  return isSeq(items) ? items.items : [contents];
}
