import type { Command } from 'commander';
import { Fault } from '../../proto/faults/fault.ts';
import { createCommand } from '../command.ts';
import { print, say } from '../terminal.ts';
import { type ApplyFlags, appliedOf, createdOf, type Done, tell } from './applied.ts';
import { type Document, readDocuments } from './documents.ts';
import {
  type ClientFlags,
  outputOf,
  parentsOf,
  withContext,
  withObjects,
  withOutput,
  withParent,
} from './flags.ts';
import { kindOf, kinds } from './kinds.ts';
import type { Objects } from './objects.ts';
import { showOne } from './show.ts';

type FileFlags = ApplyFlags & { readonly file: readonly string[] };

const fileHint = 'YAML or JSON, a folder of such, or - for standard input; repeatable';

/** `isthmus create -f <file>`. */
export function createObjectCommand(): Command {
  const command = createCommand({
    name: 'create',
    summary: 'Makes objects in a control plane out of files.',
    examples: [
      'isthmus create -f orders.yaml               # an API: an export, a custom resource, a gateway payload',
      'isthmus create -f shop.yaml                 # kind: application, and the fields of the management API',
      'isthmus create -f gold.yaml --api orders    # kind: plan',
      'isthmus create -f petstore.yaml             # an API out of an OpenAPI document',
      'KEY=$(isthmus create -f sub.yaml --api orders)    # kind: subscription, plan: gold, application: shop; the key, shown only here',
    ],
  });
  return withOutput(withParent(withContext(command)))
    .requiredOption('-f, --file <file>', fileHint, several)
    .action((flags: FileFlags) =>
      withObjects(flags, (objects) =>
        throughDocuments(flags, (document) => createdOf(objects, document, flags)),
      ),
    );
}

/** `isthmus apply -f <file>`. */
export function applyCommand(): Command {
  const command = createCommand({
    name: 'apply',
    summary: 'Makes objects in a control plane as files say: creates what is not there, changes what is.',
    examples: [
      'isthmus apply -f orders.yaml --dry-run    # what it would change',
      'isthmus apply -f apis/ --deploy',
      'isthmus describe api orders --export | isthmus apply -f - --context production',
    ],
  });
  return withOutput(withParent(withContext(command)))
    .requiredOption('-f, --file <file>', fileHint, several)
    .option('--dry-run', 'change nothing; say what would be')
    .option(
      '--deploy',
      'start the APIs, and give to the gateways what these do not have yet: APIs, shared policy groups, dictionaries',
    )
    .action((flags: FileFlags) =>
      withObjects(flags, (objects) =>
        throughDocuments(flags, (document) => appliedOf(objects, document, flags)),
      ),
    );
}

/** `isthmus delete <kind> <names...>`. */
export function deleteCommand(): Command {
  const command = createCommand({
    name: 'delete',
    summary: 'Deletes objects of a control plane by name or id.',
    examples: [
      'isthmus delete plan trial --api orders',
      'isthmus delete app shop --dry-run    # which one it would be',
    ],
  });
  return withParent(withContext(command))
    .argument(
      '<kind>',
      kinds
        .filter(({ canDelete }) => canDelete)
        .map(({ plural }) => plural)
        .join(', '),
    )
    .argument('<names...>', 'ids or names')
    .option('--dry-run', 'delete nothing; say what would be')
    .option('--json', 'what was deleted as JSON')
    .action((word: string, names: readonly string[], flags: DeleteFlags) =>
      withObjects(flags, (objects) => deleteNamed(objects, { word, names, flags })),
    );
}

type DeleteFlags = ClientFlags & { readonly dryRun?: true };

async function deleteNamed(
  objects: Objects,
  {
    word,
    names,
    flags,
  }: { readonly word: string; readonly names: readonly string[]; readonly flags: DeleteFlags },
): Promise<void> {
  const kind = kindOf(word);
  const place = await objects.placeOf(kind, parentsOf(flags));
  // All are found before one is gone.
  const found: { readonly kind: string; readonly name: string; readonly id: string }[] = [];
  for (const name of names) found.push({ kind: kind.name, name, id: (await objects.find(place, name)).id });
  for (const { name, id } of found) {
    if (flags.dryRun !== true) await objects.delete(place, id);
    say(`${kind.name} ${name} (${id}) ${flags.dryRun === true ? 'would be' : 'is'} deleted`);
  }
  if (flags.json === true) print(JSON.stringify(found, undefined, 2));
}

const several = (file: string, before: readonly string[] = []): readonly string[] => [...before, file];

/** Takes the documents of all files in order; what is done stays done when a later one is refused, and is told. */
async function throughDocuments(
  flags: FileFlags,
  take: (document: Document) => Promise<Done>,
): Promise<void> {
  const all: Done[] = [];
  const output = outputOf(flags);
  try {
    const documents = await readDocuments(flags.file);
    refuseIdleParents(flags, documents);
    for (const document of documents) {
      const done = await inFile(document, () => take(document));
      all.push(done);
      tell(done, output);
    }
  } finally {
    if (output !== 'table') showOne(all, output);
  }
}

/** A flag counts for the documents whose kind it is of; where there is none it is a slip. */
function refuseIdleParents(flags: FileFlags, documents: readonly Document[]): void {
  const parents = documents.map(({ kind }) => (kind === undefined ? undefined : kindOf(kind).parent));
  for (const flag of Object.keys(parentsOf(flags)))
    if (!parents.some((parent) => parent === flag))
      throw new Fault('config.invalid', {
        detail: `--${flag} says nothing about what ${flags.file.join(', ')} holds.`,
      });
}

/** Faults say in which file they are. */
async function inFile(document: Document, take: () => Promise<Done>): Promise<Done> {
  try {
    return await take();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, detail, hint, internal, details } = error;
    throw new Fault(code, {
      detail: `${document.at}: ${detail}`,
      ...(hint !== undefined && { hint }),
      internal,
      cause: error,
      details: details.map(({ path, message }) => ({ path: `${document.at}: ${path}`, message })),
    });
  }
}
