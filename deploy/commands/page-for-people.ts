import { tableOf } from '../terminal.ts';

/** Most characters of a line that is read with ease. */
const widthMax = 100;

/**
 * A page of Markdown as a terminal shows it: a sentence begins a line, lines are as wide as the window at most, and cells of a table stand below
 * each other where it is as wide. What is code stays as it is.
 *
 * Units: columns are characters.
 */
export function pageForPeople(markdown: string, columns: number): string {
  const width = Math.min(widthMax, Math.max(40, columns));
  const [shown, rows]: [string[], string[][]] = [[], []];
  let isCode = false;
  const endTable = (): void => {
    if (rows.length > 0) shown.push(...linesOf(rows.splice(0), width));
  };
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    const isRow = !isCode && line.startsWith('|');
    if (!isRow) endTable();
    if (isRow) rows.push(cellsOf(line));
    else if (isCode || line.startsWith('```') || line.length <= width) shown.push(line);
    else shown.push(...proseOf(line, width));
  }
  endTable();
  return shown.join('\n');
}

const cellsOf = (line: string): string[] =>
  line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

function linesOf(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const all = rows.filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  const table = tableOf(all).split('\n');
  // A row that has no room beside itself is a paragraph.
  return table.some((line) => line.length > width)
    ? all.flatMap((row) => wrapped(row.filter(Boolean).join('  '), width))
    : table;
}

/** A paragraph, or an item of a list, whose sentences stand below its first one. */
function proseOf(line: string, width: number): readonly string[] {
  const [first = '', ...others] = line.split(/(?<=[.]) (?=[A-Z`])/);
  const indent = line.startsWith('- ') ? '  ' : '';
  return [
    ...wrapped(first, width),
    ...others.flatMap((sentence) => wrapped(sentence, width - indent.length).map((part) => indent + part)),
  ];
}

/** Words of a sentence on lines of that width; those behind the first are moved in. */
function wrapped(sentence: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    const isFull = line !== '' && line.length + 1 + word.length > width;
    if (isFull) lines.push(line);
    line = isFull ? `  ${word}` : line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
