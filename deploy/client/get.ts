import { type Command, Option } from 'commander';
import { collect, createCommand, splitPair, wholeNumber } from '../command.ts';
import { print, say } from '../terminal.ts';
import {
  type ClientFlags,
  outputOf,
  parentsOf,
  withContext,
  withObjects,
  withOutput,
  withParent,
} from './flags.ts';
import { type Kind, kindOf, kinds } from './kinds.ts';
import type { Fields, Objects } from './objects.ts';
import { showOne, showRows } from './show.ts';

type ListFlags = ClientFlags & {
  readonly search?: string;
  readonly query?: readonly string[];
  readonly limit: number;
};

const rowsMax = 10_000;
const rowsUnlessTold = 1_000;
const kindList = kinds.map(({ plural }) => plural).join(', ');

/** `isthmus get <kind> [names...]`. */
export function getCommand(): Command {
  const command = createCommand({
    name: 'get',
    summary: 'Lists objects of a control plane, or shows some of them by name or id.',
    examples: [
      'isthmus get apis',
      'isthmus get apis --search orders --output yaml',
      'isthmus get plans --api orders',
      'isthmus get apps --query status=ARCHIVED --json',
    ],
  });
  return withOutput(withParent(withContext(command)))
    .argument('<kind>', kindList)
    .argument('[names...]', 'ids or names; default: all')
    .option('--search <text>', 'only those that the control plane finds with it')
    .option(
      '-q, --query <name=value>',
      'a parameter of the list, as the management API has it; repeatable',
      collect,
    )
    .option('--limit <n>', 'list at most so many', wholeNumber(1, rowsMax), rowsUnlessTold)
    .action((word: string, names: readonly string[], flags: ListFlags) =>
      withObjects(flags, (objects) => getNamed(objects, { word, names, flags })),
    );
}

async function getNamed(
  objects: Objects,
  {
    word,
    names,
    flags,
  }: { readonly word: string; readonly names: readonly string[]; readonly flags: ListFlags },
): Promise<void> {
  const kind = kindOf(word);
  const place = await objects.placeOf(kind, parentsOf(flags));
  if (names.length > 0) {
    const found = [];
    for (const name of names) found.push((await objects.find(place, name)).fields);
    return showRows(named(kind, found), kind.columns, outputOf(flags));
  }
  const query = queryOf(flags, kind.search);
  const { rows, total, warning } = await objects.list(place, { limit: flags.limit, query });
  const shown = outputOf(flags) === 'table' ? rows : await objects.whole(place, rows);
  showRows(named(kind, shown), kind.columns, outputOf(flags));
  if (warning !== undefined) say(`warning: ${warning}`);
  if (rows.length === 0) say(`no ${kind.plural}`);
  if (total !== undefined && total > rows.length) say(`${rows.length} of ${total}; --limit lists more`);
}

/** `isthmus describe <kind> <name>`. */
export function describeCommand(): Command {
  const command = createCommand({
    name: 'describe',
    summary: 'Shows one object of a control plane whole.',
    examples: [
      'isthmus describe api orders',
      'isthmus describe api orders --export > orders.yaml    # with its plans, as `isthmus apply` takes it',
      'isthmus describe api orders --export crd > orders.yaml    # for the operator of the reference product',
      'isthmus describe plan gold --api orders --json',
    ],
  });
  return withOutput(withParent(withContext(command)))
    .argument('<kind>', kindList)
    .argument('<name>', 'id or name')
    .addOption(
      new Option(
        '--export [form]',
        'the API with its plans as one document: its definition in yaml or json, or a custom resource for Kubernetes (crd)',
      ).choices(exportForms),
    )
    .action((word: string, name: string, flags: DescribeFlags) =>
      withObjects(flags, (objects) => describeNamed(objects, { word, name, flags })),
    );
}

const exportForms = ['yaml', 'json', 'crd'] as const;

/** `true` is a definition in the form of the output. */
type DescribeFlags = ClientFlags & { readonly export?: (typeof exportForms)[number] | true };

async function describeNamed(
  objects: Objects,
  { word, name, flags }: { readonly word: string; readonly name: string; readonly flags: DescribeFlags },
): Promise<void> {
  const kind = kindOf(word);
  const place = await objects.placeOf(kind, parentsOf(flags));
  const { id, fields } = await objects.find(place, name);
  const form = kind.name === 'api' ? flags.export : undefined;
  if (flags.export !== undefined && form === undefined)
    say(`warning: --export says nothing about a ${kind.name}`);
  if (form === 'crd') return print(await objects.exportResource(id));
  if (form === undefined) return showOne(named(kind, [fields])[0], outputOf(flags));
  showOne(await objects.exportDefinition(id), form === true ? outputOf(flags) : form);
}

/** As `isthmus apply` takes them back. */
const named = ({ name }: Kind, rows: readonly Fields[]): readonly Fields[] =>
  rows.map((fields) => ({ kind: name, ...fields }));

function queryOf(
  { search, query = [] }: ListFlags,
  searchParameter: string | undefined,
): Record<string, string> {
  const own = Object.fromEntries(query.map(splitPair));
  if (search === undefined) return own;
  if (searchParameter === undefined) {
    say('warning: --search is without effect: this list cannot be searched');
    return own;
  }
  return { ...own, [searchParameter]: search };
}
