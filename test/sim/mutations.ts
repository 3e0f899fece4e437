import type { Random } from '../kit/random.ts';
import {
  blanks,
  chunkDresses,
  chunkLines,
  codingLines,
  lengthDresses,
  lineEndings,
  methods,
  nastyBytes,
  statuses,
  targets,
  trickLines,
  versions,
} from './tricks.ts';

/** One way to spoil a message. Text has one char per byte; `other` is another valid message to splice with. */
type Mutation = (text: string, random: Random, other: string) => string;

/** Every way by its name; each gives the same bytes for the same draws. */
const shared = {
  'flip a bit': (text, random) =>
    replaceAt(text, random, (char) => String.fromCharCode(char.charCodeAt(0) ^ (1 << random.below(8)))),
  'nasty byte for another': (text, random) => replaceAt(text, random, () => random.pick(nastyBytes)),
  'nasty byte inserted': (text, random) =>
    insertAt(text, random.below(text.length + 1), random.pick(nastyBytes)),
  'bytes deleted': (text, random) => {
    const at = random.below(text.length);
    return text.slice(0, at) + text.slice(at + random.between(1, random.chance(80) ? 3 : 40));
  },
  'bytes repeated': (text, random) => {
    const at = random.below(text.length);
    const piece = text.slice(at, at + random.between(1, 24));
    return insertAt(text, at, piece.repeat(random.between(1, 3)));
  },
  'cut short': (text, random) => text.slice(0, random.below(text.length)),
  'spliced with another': (text, random, other) =>
    text.slice(0, random.below(text.length)) + other.slice(random.below(other.length)),
  'trick line inserted': (text, random) => insertLine(text, random, random.pick(trickLines)),
  'trick line for another': (text, random) => replaceLine(text, random, () => random.pick(trickLines)),
  'line repeated': (text, random) => insertLine(text, random, random.pick(headLines(text))),
  'line deleted': (text, random) => {
    const lines = text.split('\r\n');
    lines.splice(random.below(lines.length), 1);
    return lines.join('\r\n');
  },
  'lines swapped': (text, random) => {
    const lines = text.split('\r\n');
    const [line = ''] = lines.splice(random.below(lines.length), 1);
    lines.splice(random.below(lines.length + 1), 0, line);
    return lines.join('\r\n');
  },
  'case changed': (text, random) => {
    const at = random.below(text.length);
    const end = at + random.between(1, 20);
    const piece = text.slice(at, end);
    return (
      text.slice(0, at) + (random.chance(50) ? piece.toUpperCase() : piece.toLowerCase()) + text.slice(end)
    );
  },
  'line ending': (text, random) => replaceEnding(text, random, random.pick(lineEndings)),
  'every line ending': (text, random) => text.replaceAll('\r\n', random.pick(['\n', '\r', '\n\r'])),
  'blanks around a colon': (text, random) =>
    replaceLine(text, random, (line) =>
      line.replace(':', random.chance(50) ? `${random.pick(blanks)}:` : `:${random.pick(blanks)}`),
    ),
  'blanks around a line': (text, random) =>
    replaceLine(text, random, (line) =>
      random.chance(50) ? random.pick(blanks) + line : line + random.pick(blanks),
    ),
  'underscore for a dash': (text, random) => replaceLine(text, random, (line) => line.replace('-', '_')),
  'chunk size': (text, random) =>
    replaceMatch(text, random, {
      pattern: /(?<=\r\n)[0-9A-Fa-f]+(?=\r\n)/g,
      by: () => random.pick(chunkLines),
    }),
  // The number stays right, so that whoever forgives the dress reads on without another fault.
  'chunk size dressed': (text, random) =>
    replaceMatch(text, random, {
      pattern: /(?<=\r\n)[0-9A-Fa-f]+(?=\r\n)/g,
      by: (size) => random.pick(chunkDresses)(size),
    }),
  'length dressed': (text, random) =>
    replaceMatch(text, random, {
      pattern: /(?<=content-length: *)\d+/gi,
      by: (length) => random.pick(lengthDresses)(length),
    }),
  'coding dressed': (text, random) =>
    replaceMatch(text, random, {
      pattern: /transfer-encoding: *chunked/gi,
      by: () => random.pick(codingLines),
    }),
  'length off by some': (text, random) =>
    text.replace(/(?<=content-length: *)\d+/i, (digits) =>
      String(Math.max(0, Number(digits) + random.between(-3, 3))),
    ),
  'many lines': (text, random) =>
    insertLine(text, random, 'X: y\r\n'.repeat(random.between(20, 120)) + 'X: z'),
  'long line': (text, random) => insertLine(text, random, `X: ${'y'.repeat(random.between(500, 9_000))}`),
} satisfies Readonly<Record<string, Mutation>>;

const requestsOnly = {
  target: (text, random) => text.replace(/(?<=^\S* )[^ \r\n]*/, () => random.pick(targets)),
  version: (text, random) => text.replace(/HTTP\/1\.[01]/, () => random.pick(versions)),
  method: (text, random) => text.replace(/^[A-Z]+/, () => random.pick(methods)),
} satisfies Readonly<Record<string, Mutation>>;

const responsesOnly = {
  version: (text, random) => text.replace(/^HTTP\/1\.[01]/, () => random.pick(versions)),
  status: (text, random) => text.replace(/(?<=^\S+ )\d{3}/, () => random.pick(statuses)),
  'another answer before': (text, _random, other) => other + text,
  'bytes after': (text, _random, other) => text + other,
  'informational before': (text, random) =>
    `HTTP/1.1 ${random.pick(['100 Continue', '102 Processing', '103 Early Hints', '101 Switching Protocols'])}\r\n\r\n`.repeat(
      random.between(1, 3),
    ) + text,
} satisfies Readonly<Record<string, Mutation>>;

const tables = {
  request: Object.entries<Mutation>({ ...shared, ...requestsOnly }),
  response: Object.entries<Mutation>({ ...shared, ...responsesOnly }),
};

/** Names of all mutations, for the count of what was tried. */
export const mutationNames: readonly string[] = [
  ...new Set([...tables.request, ...tables.response].map(([name]) => name)),
];

/** A spoiled message and how it was spoiled. */
export interface Mutated {
  readonly text: string;
  readonly names: readonly string[];
}

/** Spoils a message in one to three ways. The result is at most 64 KiB long. */
export function mutate(
  random: Random,
  kind: 'request' | 'response',
  message: { readonly text: string; readonly other: string },
): Mutated {
  const table = tables[kind];
  const names: string[] = [];
  let { text } = message;
  for (let count = random.chance(65) ? 1 : random.between(2, 3); count > 0 && text !== ''; count -= 1) {
    const entry = table[random.below(table.length)];
    if (entry === undefined) break;
    const [name, change] = entry;
    text = change(text, random, message.other).slice(0, 65_536);
    names.push(name);
  }
  return { text, names };
}

function insertAt(text: string, at: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at);
}

function replaceAt(text: string, random: Random, by: (char: string) => string): string {
  const at = random.below(text.length);
  return text.slice(0, at) + by(text.charAt(at)) + text.slice(at + 1);
}

/** Lines of the head after the first; the first itself when there are no others. */
function headLines(text: string): readonly [string, ...string[]] {
  const [first = '', ...lines] = (text.split('\r\n\r\n', 1)[0] ?? '').split('\r\n');
  const [second = first, ...rest] = lines;
  return [second, ...rest];
}

function insertLine(text: string, random: Random, line: string): string {
  const lines = text.split('\r\n');
  const heads = headLines(text).length;
  lines.splice(1 + random.below(heads + 1), 0, line);
  return lines.join('\r\n');
}

function replaceLine(text: string, random: Random, by: (line: string) => string): string {
  const lines = text.split('\r\n');
  const at = Math.min(lines.length - 1, 1 + random.below(headLines(text).length));
  lines[at] = by(lines[at] ?? '');
  return lines.join('\r\n');
}

function replaceEnding(text: string, random: Random, ending: string): string {
  return replaceMatch(text, random, { pattern: /\r\n/g, by: () => ending });
}

function replaceMatch(
  text: string,
  random: Random,
  change: { readonly pattern: RegExp; readonly by: (found: string) => string },
): string {
  const places = [...text.matchAll(change.pattern)];
  const place = places[random.below(Math.max(1, places.length))];
  if (place === undefined) return text;
  return text.slice(0, place.index) + change.by(place[0]) + text.slice(place.index + place[0].length);
}
