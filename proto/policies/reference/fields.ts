import type { z } from 'zod';

import { type FormSchema, formSchema } from '../form-schema.ts';

/** What surrounds a document. */
export interface Reference {
  /** Where it finds the page of expressions; absent where it stands alone. */
  readonly expressions?: string;
}

/** One field: its place, what it takes, its default or that it is required; of a field that is accepted and not read, the place alone. */
export interface FieldRow {
  readonly path: string;
  readonly takes: string | undefined;
  readonly byDefault: string;
  /** What it is for: what a form calls it, where that is more than its name, and what helps; absent where nobody says. */
  readonly about?: string | undefined;
}

/** Every field that a schema takes, by its place in it: `paths[].host`. */
export const fieldRows = (schema: z.ZodType, reference: Reference): readonly FieldRow[] =>
  formRows(formSchema(schema), reference);

/** The same of a form. */
export const formRows = (form: FormSchema, reference: Reference): readonly FieldRow[] =>
  rowsOf(form, '', reference);

/** Fields as a table of Markdown, with a line for those that are not read; empty where there are none. */
export function tableOf(rows: readonly FieldRow[]): string {
  const read = rows.flatMap(({ path, takes: taken, byDefault }) =>
    taken === undefined ? [] : [`| \`${path}\` | ${cell(taken)} | ${byDefault} |\n`],
  );
  return [
    ...(read.length === 0 ? [] : [`| field | takes | default |\n|---|---|---|\n${read.join('')}`]),
    ...unreadOf(rows),
  ].join('\n');
}

/** The same with what each is for. */
export function describedTable(rows: readonly FieldRow[]): string {
  const read = rows.flatMap(({ path, takes: taken, byDefault, about = '' }) =>
    taken === undefined ? [] : [`| \`${path}\` | ${cell(about)} | ${cell(taken)} | ${byDefault} |\n`],
  );
  return [
    ...(read.length === 0
      ? []
      : [`| field | is for | takes | default |\n|---|---|---|---|\n${read.join('')}`]),
    ...unreadOf(rows),
  ].join('\n');
}

function unreadOf(rows: readonly FieldRow[]): readonly string[] {
  const unread = rows.filter((row) => row.takes === undefined).map(({ path }) => `\`${path}\``);
  return unread.length === 0 ? [] : [`Accepted, and read by no gateway: ${unread.join(', ')}.\n`];
}

/** A text as a cell of a table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function rowsOf(holder: FormSchema, at: string, reference: Reference): readonly FieldRow[] {
  const required = requiredOf(holder);
  return [...propertiesOf(holder)].flatMap(([name, field]) => {
    const path = at === '' ? name : `${at}.${name}`;
    if (field.isElsewhere === true) return [{ path, takes: undefined, byDefault: '' }];
    const inside = rowsOf(field, path, reference);
    if (inside.length > 0) return inside;
    const byDefault = required.has(name)
      ? 'required'
      : field.default === undefined
        ? ''
        : `\`${JSON.stringify(field.default)}\``;
    const row = { path, takes: takes(field, reference), byDefault, about: aboutOf(field) };
    return [row, ...rowsOf(field.items ?? {}, `${path}[]`, reference)];
  });
}

/** A sentence stands for itself; what is none goes on from what a form calls the field: `Limit: calls that pass ...`. */
const aboutOf = ({ title, description }: FormSchema): string | undefined =>
  title === undefined || description === undefined || description.endsWith('.')
    ? description
    : `${title}: ${description.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())}`;

/** Those of an object; of several objects that may stand in one place, the fields of all; of a map what each entry is. */
function propertiesOf({
  properties,
  additionalProperties: each,
  anyOf,
  oneOf,
}: FormSchema): ReadonlyMap<string, FormSchema> {
  if (properties !== undefined) return new Map(Object.entries(properties));
  if (typeof each === 'object' && Object.keys(each).length > 0) return new Map([['*', each]]);
  const all = new Map<string, FormSchema>();
  for (const [name, field] of (anyOf ?? oneOf ?? []).flatMap((one) => [...propertiesOf(one)])) {
    const other = all.get(name);
    if (other === undefined) all.set(name, field);
    // `false` beside a boolean says nothing.
    else
      all.set(name, typeof other.const === 'boolean' ? field : { ...wordsOf(other), anyOf: [other, field] });
  }
  return all;
}

const wordsOf = ({ description }: FormSchema): FormSchema =>
  description === undefined ? {} : { description };

/** Those that an object cannot do without; of several objects that may stand in one place, what all of them ask for. */
function requiredOf({ properties, required = [], anyOf, oneOf }: FormSchema): ReadonlySet<string> {
  if (properties !== undefined) return new Set(required);
  const [first, ...others] = (anyOf ?? oneOf ?? []).filter(isHolder).map(requiredOf);
  return new Set([...(first ?? [])].filter((name) => others.every((other) => other.has(name))));
}

const isHolder = (schema: FormSchema): boolean => propertiesOf(schema).size > 0;

function takes({ isSecret = false, ...field }: FormSchema, reference: Reference): string {
  if (isSecret) return `secret ${takes(field, reference)}`;
  if (field.isKnownAtDeploy === true)
    return `string, may hold ${linked('what is known at deploy', reference, '#known-at-deploy')}${boundsOf(field)}`;
  if (field.mayHoldExpressions === true) return `string, may hold ${linked('expressions', reference)}`;
  if (field.offOnly !== undefined) return `not supported; allowed: ${field.offOnly}`;
  if (field.const !== undefined) return word(field.const);
  if (field.enum !== undefined) return field.enum.map(word).join(', ');
  const several = field.anyOf ?? field.oneOf;
  if (several !== undefined) return [...new Set(several.map((one) => takes(one, reference)))].join(' or ');
  if (field.items !== undefined) {
    const most = field.maxItems === undefined ? 'list' : `list of at most ${field.maxItems}`;
    return `${most}: ${takes(field.items, reference)}`;
  }
  const type = typeof field.type === 'string' ? field.type : (field.type?.join(' or ') ?? 'any');
  return `${type}${boundsOf(field)}${field.unit === undefined ? '' : ` (${field.unit})`}`;
}

const linked = (words: string, { expressions }: Reference, anchor = ''): string =>
  expressions === undefined ? words : `[${words}](${expressions}${anchor})`;

const word = (value: unknown): string => `\`${value === '' ? '""' : String(value)}\``;

function boundsOf({ minimum, maximum, maxLength }: FormSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  if (maximum !== undefined) return `, at most ${maximum}`;
  return maxLength === undefined ? '' : `, at most ${maxLength} characters`;
}
