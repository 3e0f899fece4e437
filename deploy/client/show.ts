import { stringify } from 'yaml';

import { print, tableOf } from '../terminal.ts';
import type { Column } from './kinds.ts';
import { type Fields, valueAt } from './objects.ts';

/** How data is written: `table` for people, the others for programs. */
export type Output = 'table' | 'json' | 'yaml';

/** The names of {@link Output}, as an option takes them. */
export const outputs: readonly Output[] = ['table', 'json', 'yaml'];

/** A cell wider than this is cut. */
const cellCharsMax = 60;

/** Writes objects to standard output: a table of some columns, or all of them whole. */
export function showRows(rows: readonly Fields[], columns: readonly Column[], output: Output): void {
  if (output === 'json') return print(JSON.stringify(rows, undefined, 2));
  if (output === 'yaml') return print(rows.map((row) => stringify(row)).join('---\n'));
  print(
    tableOf([
      columns.map(([header]) => header.toUpperCase()),
      ...rows.map((row) => columns.map(([, path]) => shortOf(textOf(valueAt(row, path))))),
    ]),
  );
}

/** Writes one object whole: YAML where a table is asked for, since no table holds it. */
export function showOne(fields: unknown, output: Output): void {
  print(output === 'json' ? JSON.stringify(fields, undefined, 2) : stringify(fields));
}

/** A text as a cell has it. */
export const shortOf = (text: string): string =>
  text.length > cellCharsMax ? `${text.slice(0, cellCharsMax - 1)}…` : text;

function textOf(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  if (typeof value === 'number' && value > 1e12) return new Date(value).toISOString();
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(textOf).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
