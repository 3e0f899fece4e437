import type { Cursor } from './cursor.ts';
import type { Node } from './tree.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['f', '\f'],
  ['b', '\b'],
  ['l', '<'],
  ['g', '>'],
  ['a', '&'],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['{', '{'],
  ['=', '='],
]);

/** A text in quotes at the cursor's place, `r"..."` as it stands; undefined where there is none. */
export function readText(cursor: Cursor, readInner: (inner: Cursor) => Node): Node | undefined {
  const { at } = cursor;
  const raw = cursor.match(/r(?:"([^"]*)"|'([^']*)')/y);
  if (raw !== undefined) return { kind: 'literal', value: raw[1] ?? raw[2] ?? '', at };
  const quote = cursor.next;
  if (quote !== '"' && quote !== "'") return undefined;
  cursor.at += 1;
  const parts: (string | Node)[] = [];
  let text = '';
  while (cursor.next !== quote) {
    if (cursor.isOver) cursor.fault('the closing quote of a text is missing', at);
    const { source } = cursor;
    if (source.startsWith('${', cursor.at) || source.startsWith('#{', cursor.at)) {
      parts.push(text, readInterpolation(cursor, readInner));
      text = '';
    } else if (cursor.next === '\\') text += readEscape(cursor);
    else {
      text += cursor.next;
      cursor.at += 1;
    }
  }
  cursor.at += 1;
  if (parts.length === 0) return { kind: 'literal', value: text, at };
  return { kind: 'joined', parts: [...parts, text].filter((part) => part !== ''), at };
}

/** `\x41` and its like. */
function readEscape(cursor: Cursor): string {
  const code = cursor.match(/\\x([0-9A-Fa-f]{1,4})/y)?.[1];
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  const letter = cursor.source.charAt(cursor.at + 1);
  const meant =
    escapes.get(letter) ?? cursor.fault(`\\${letter} means nothing in a text; a backslash is \\\\`);
  cursor.at += 2;
  return meant;
}

/** `${...}` inside a text. */
function readInterpolation(cursor: Cursor, readInner: (inner: Cursor) => Node): Node {
  const inner = cursor.inside(cursor.at + 2);
  const node = cursor.within(() => readInner(inner));
  inner.expect('}', 'what began with ${');
  cursor.at = inner.at;
  return node;
}
