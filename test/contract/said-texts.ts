import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text that stands in the source and may be read by somebody. */
export interface SaidText {
  /** Path of the file from the root of the house. */
  readonly path: string;
  readonly line: number;
  /** The text as written; what is put into a template stands as {@link hole}. */
  readonly text: string;
}

/** Stands for what a template is filled with. */
export const hole = '\u{fffc}';

/** Comments and literals, in the order in which a reader of the file meets them. */
const tokens = /\/\/.*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;

/** A file of the source. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The source files of these rooms; tests, and what only they are made of, say nothing to an operator. */
export function sourceFiles(root: string, rooms: readonly string[]): readonly SourceFile[] {
  return rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/(\.test|\.d|fixtures)\.ts$/.test(name))
      .filter((name) => !/(^|\/)(conformance|reference|packing)\//.test(name))
      .map((name) => ({ path: `${room}/${name}`, text: readFileSync(join(root, room, name), 'utf8') })),
  );
}

/** All texts of more than one word in a source file. */
export function saidTexts({ path, text: source }: SourceFile): readonly SaidText[] {
  return [...source.matchAll(tokens)].flatMap(({ 0: token, index }) => {
    if (token.startsWith('/')) return [];
    const text = token.slice(1, -1).replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, hole);
    if (!/\s/.test(text.trim())) return [];
    return [{ path, line: source.slice(0, index).split('\n').length, text }];
  });
}
