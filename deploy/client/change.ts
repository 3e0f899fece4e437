import type { Command } from 'commander';
import { Fault } from '../../proto/faults/fault.ts';
import { createCommand } from '../command.ts';
import { print, say } from '../terminal.ts';
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
import { isFields, type Objects, valueAt } from './objects.ts';

type FileFlags = ClientFlags & {
  readonly file: readonly string[];
  readonly dryRun?: true;
  readonly deploy?: true;
};

/** What became of one document. */
interface Done {
  readonly kind: string;
  readonly name: string;
  readonly id: string | undefined;
  readonly effect: 'created' | 'changed' | 'would be created' | 'would be changed' | 'unchanged';
  /** It was given to the gateways as well. */
  readonly isDeployed?: true;
  readonly differences?: readonly unknown[];
  readonly conflicts?: readonly unknown[];
}

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
    .option('--deploy', 'start the APIs, and deploy to the gateways what these do not have yet')
    .action((flags: FileFlags) =>
      withObjects(flags, (objects) =>
        throughDocuments(flags, async (document) => {
          if (document.kind !== undefined) return appliedObject(objects, document, flags);
          const done = await appliedDefinition(objects, document, flags);
          if (flags.deploy !== true || flags.dryRun === true || done.id === undefined) return done;
          return deployed(objects, { ...done, id: done.id });
        }),
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
  try {
    for (const document of await readDocuments(flags.file)) {
      const done = await inFile(document, () => take(document));
      all.push(done);
      tell(done);
    }
  } finally {
    const output = outputOf(flags);
    if (output === 'json') print(JSON.stringify(all, undefined, 2));
  }
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

async function createdOf(objects: Objects, document: Document, flags: ClientFlags): Promise<Done> {
  if (document.kind === undefined) {
    const { body } = await objects.importDefinition(document.body, { id: undefined, isDryRun: false });
    return doneOf('api', body, 'created');
  }
  const kind = kindOf(document.kind);
  const place = await objects.placeOf(kind, parentsOf(flags));
  return doneOf(kind.name, (await objects.create(place, document.body)).body, 'created');
}

/** Errors: those of the deployment, which also say what became of the API itself. */
async function deployed(objects: Objects, done: Done & { readonly id: string }): Promise<Done> {
  try {
    return (await objects.deployApi(done.id)) ? { ...done, isDeployed: true } : done;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, hint, internal, details } = error;
    throw new Fault(code, {
      detail: `api ${done.name} (${done.id}) ${done.effect}, and not deployed: ${error.detail}`,
      ...(hint !== undefined && { hint }),
      internal,
      details,
      cause: error,
    });
  }
}

async function appliedDefinition(objects: Objects, document: Document, flags: FileFlags): Promise<Done> {
  const place = await objects.placeOf(kindOf('api'), {});
  const isDryRun = flags.dryRun === true;
  const found = await firstOf(document.names, (name) => objects.seek(place, name));
  const name = document.names.at(-1) ?? '';
  if (found === undefined) {
    if (isDryRun) {
      // What an import would refuse is known here too.
      const { judgeImport } = await import('../import-judge.ts');
      judgeImport(document.body);
      return { kind: 'api', name, id: undefined, effect: 'would be created' };
    }
    return doneOf(
      'api',
      (await objects.importDefinition(document.body, { id: undefined, isDryRun })).body,
      'created',
    );
  }
  // What it changes is asked first: the answer of the change itself says only what conflicted.
  const { body: effect } = await objects.importDefinition(document.body, { id: found.id, isDryRun: true });
  const { differences, conflicts } = {
    differences: listAt(effect, 'differences'),
    conflicts: listAt(effect, 'conflicts'),
  };
  const done = {
    kind: 'api',
    name: textAt(found.fields, 'name') || name,
    id: found.id,
    differences,
    conflicts,
  };
  if (differences.length === 0) return { ...done, effect: 'unchanged' };
  if (isDryRun) return { ...done, effect: 'would be changed' };
  await objects.importDefinition(document.body, { id: found.id, isDryRun });
  return { ...done, effect: 'changed' };
}

async function appliedObject(objects: Objects, document: Document, flags: FileFlags): Promise<Done> {
  const kind = kindOf(document.kind ?? '');
  const place = await objects.placeOf(kind, parentsOf(flags));
  const names = [
    textAt(document.body, kind.idField ?? 'id'),
    ...kind.names.map((path) => textAt(document.body, path)),
  ];
  const found = await firstOf(
    names.filter((name) => name !== ''),
    (name) => objects.seek(place, name),
  );
  const name = names.find((each) => each !== '') ?? '';
  if (flags.dryRun === true)
    return {
      kind: kind.name,
      name,
      id: found?.id,
      effect: found === undefined ? 'would be created' : 'would be changed',
    };
  if (found === undefined)
    return doneOf(kind.name, (await objects.create(place, document.body)).body, 'created');
  const { body } = await objects.replace(place, found.id, document.body);
  return doneOf(kind.name, isFields(body) ? body : found.fields, 'changed');
}

async function firstOf<T>(
  names: readonly string[],
  seek: (name: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const name of names) {
    const found = await seek(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function doneOf(kind: string, body: unknown, effect: Done['effect']): Done {
  const name = ['name', 'displayName', 'value']
    .map((field) => textAt(body, field))
    .find((text) => text !== '');
  const id = textAt(body, 'id');
  return { kind, name: name ?? id, id: id === '' ? undefined : id, effect };
}

function tell({ kind, name, id, effect, isDeployed, differences = [], conflicts = [] }: Done): void {
  say(
    `${kind} ${name}${id === undefined || id === name ? '' : ` (${id})`} ${effect}${isDeployed === true ? ' and deployed' : ''}`,
  );
  for (const difference of differences) say(`  ${textAt(difference, 'path')}`);
  for (const conflict of conflicts)
    say(`  changed on both sides, the file counts: ${textAt(conflict, 'path')}`);
}

const listAt = (fields: unknown, path: string): readonly unknown[] => {
  const value = valueAt(fields, path);
  return Array.isArray(value) ? value : [];
};

const textAt = (fields: unknown, path: string): string => {
  const value = valueAt(fields, path);
  return typeof value === 'string' ? value : '';
};
