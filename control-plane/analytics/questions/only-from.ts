import { Fault } from '../../../proto/faults/fault.ts';
import type { Sql } from '../convert.ts';

/** How a question names what it is put to. */
export const fromName = 'records';
/** How it names the figures of whole files, where it is put to those as well. */
export const rolledName = 'rolled';

/** Nodes of DuckDB's syntax tree that read nothing of their own. Whatever a newer DuckDB adds is refused until it stands here. */
const harmless = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'CTE_NODE',
  'SUBQUERY',
  'JOIN',
  'EMPTY',
  'EXPRESSION_LIST',
  'ORDER_MODIFIER',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'DISTINCT_MODIFIER',
  'ORDER_DEFAULT',
  'ASCENDING',
  'DESCENDING',
]);
/** Table functions that make rows out of their arguments. */
const harmlessFunctions = new Set(['unnest', 'range', 'generate_series']);

/**
 * Proves that a question is one SELECT that reads nothing but {@link fromName} and {@link rolledName}, and gives it those to read.
 *
 * The child process that answers may open files of every tenant, so who writes a question cannot be left to remember: names of
 * files, tables, catalogues and table functions are refused, wherever they stand. Judged on the tree of DuckDB's own parser, so there is
 * no second opinion on what a text means. Errors: analytics.failed.
 */
export async function onlyFrom(sql: Sql, { from, rolled, question }: OnlyFrom): Promise<string> {
  const [row] = await sql.rows('SELECT json_serialize_sql($question::VARCHAR)::VARCHAR AS tree', {
    question,
  });
  const tree: unknown = JSON.parse(String(row?.['tree']));
  const statements = fieldOf(tree, 'statements');
  if (!Array.isArray(statements) || statements.length !== 1) throw refused('it is not one SELECT');
  const own = new Set(rolled === undefined ? [fromName] : [fromName, rolledName]);
  walk(statements, (node) => {
    for (const entry of listOf(fieldOf(fieldOf(node, 'cte_map'), 'map')))
      own.add(String(fieldOf(entry, 'key')));
  });
  walk(statements, (node) => judge(node, own));
  const figures = rolled === undefined ? '' : `, ${rolledName} AS NOT MATERIALIZED (${rolled})`;
  // The line breaks end a comment of the question.
  return `WITH ${fromName} AS NOT MATERIALIZED (${from})${figures} SELECT * FROM (\n${question}\n)`;
}

/** A question's SQL and what is put around it. */
export interface OnlyFrom {
  readonly from: string;
  readonly rolled?: string | undefined;
  readonly question: string;
}

function judge(node: object, own: ReadonlySet<string>): void {
  const type = fieldOf(node, 'type');
  // Expressions have a class, and none of them reads anything but through a subquery; types of values are objects.
  if (typeof type !== 'string' || fieldOf(node, 'class') !== undefined || type.endsWith('_TYPE_INFO')) return;
  if (type === 'BASE_TABLE') {
    const name = String(fieldOf(node, 'table_name'));
    const isBare = fieldOf(node, 'schema_name') === '' && fieldOf(node, 'catalog_name') === '';
    // DuckDB opens a table that it does not find as a file of that name.
    if (!isBare || !own.has(name) || !/^[a-z][a-z0-9_]*$/.test(name)) throw refused(`it reads ${name}`);
  } else if (type === 'TABLE_FUNCTION') {
    const name = String(fieldOf(fieldOf(node, 'function'), 'function_name'));
    if (!harmlessFunctions.has(name)) throw refused(`it calls ${name}`);
  } else if (!harmless.has(type)) throw refused(`it holds ${type}`);
}

const refused = (why: string): Fault =>
  new Fault('analytics.failed', { internal: `a question may read nothing but ${fromName}: ${why}` });

function walk(value: unknown, visit: (node: object) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value);
  for (const inner of Object.values(value)) walk(inner, visit);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
