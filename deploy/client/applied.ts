import { isDeepStrictEqual } from 'node:util';

import { Fault } from '../../proto/faults/fault.ts';
import { print, say } from '../terminal.ts';
import type { Document } from './documents.ts';
import { type ClientFlags, parentsOf } from './flags.ts';
import { type Kind, kindOf, type Parent } from './kinds.ts';
import { type Fields, type Found, movePathOf, type Objects, type Place, valueAt } from './objects.ts';
import type { Output } from './show.ts';

/** What `isthmus apply` takes. */
export type ApplyFlags = ClientFlags & { readonly dryRun?: true; readonly deploy?: true };

/** What became of one document. */
export interface Done {
  readonly kind: string;
  readonly name: string;
  readonly id: string | undefined;
  readonly effect: 'created' | 'changed' | 'would be created' | 'would be changed' | 'unchanged';
  /** It was given to the gateways as well. */
  readonly isDeployed?: true;
  /** What nobody is shown again, such as the key of a subscription. */
  readonly shownOnce?: string;
  readonly differences?: readonly unknown[];
  readonly conflicts?: readonly unknown[];
  /** Fields that are otherwise than the file says, although all that can be written was. */
  readonly otherwise?: readonly string[];
}

const apiKind = kindOf('api');

/** Makes what a document says. */
export async function createdOf(objects: Objects, document: Document, flags: ClientFlags): Promise<Done> {
  if (document.kind === undefined) {
    const { body } = await objects.importDefinition(document, { id: undefined, isDryRun: false });
    return doneOf(apiKind, body, 'created');
  }
  const { place, body } = await placed(objects, document, flags);
  return doneOf(place.kind, (await objects.create(place, body)).body, 'created');
}

/** Makes or changes what a document says, and gives it to gateways where that is asked for. */
export async function appliedOf(objects: Objects, document: Document, flags: ApplyFlags): Promise<Done> {
  const isDryRun = flags.dryRun === true;
  if (document.kind === undefined) {
    const place = await objects.placeOf(apiKind, {});
    const done = await appliedDefinition(objects, { place, document, isDryRun });
    return deployed(objects, { place, done, flags });
  }
  const { place, body } = await placed(objects, document, flags);
  const done = await appliedObject(objects, { place, body, isDryRun });
  return deployed(objects, { place, done, flags });
}

/** Where an object stands: as the flag says, else as the file itself does. */
async function placed(
  objects: Objects,
  { kind: word, body }: Document,
  flags: ClientFlags,
): Promise<{ readonly place: Place; readonly body: Fields }> {
  const kind = kindOf(word ?? '');
  const { parent } = kind;
  if (parent === undefined) return { place: await objects.placeOf(kind, {}), body };
  const { [parent]: named, ...others } = body;
  // A name beside ids is a word of these files, which the management API does not know; a scope it does.
  const isOurWord = typeof named === 'string' && parent !== 'scope';
  const wanted = parentsOf(flags)[parent] ?? parentIn(body, parent);
  return {
    place: await objects.placeOf(kind, wanted === undefined ? {} : { [parent]: wanted }),
    body: isOurWord ? others : body,
  };
}

const parentIn = (body: Fields, parent: Parent): string | undefined =>
  [parent, `${parent}Id`, `${parent}.id`].map((path) => textAt(body, path)).find((text) => text !== '');

/** Errors: those of the deployment, which also say what became of the object itself. */
async function deployed(
  objects: Objects,
  { place, done, flags }: { readonly place: Place; readonly done: Done; readonly flags: ApplyFlags },
): Promise<Done> {
  if (flags.deploy !== true || flags.dryRun === true || done.id === undefined) return done;
  try {
    return (await objects.deploy(place, done.id)) ? { ...done, isDeployed: true } : done;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { code, hint, internal, details } = error;
    throw new Fault(code, {
      detail: `${done.kind} ${done.name} (${done.id}) ${done.effect}, and not deployed: ${error.detail}`,
      ...(hint !== undefined && { hint }),
      internal,
      details,
      cause: error,
    });
  }
}

async function appliedDefinition(
  objects: Objects,
  {
    place,
    document,
    isDryRun,
  }: { readonly place: Place; readonly document: Document; readonly isDryRun: boolean },
): Promise<Done> {
  const found = await firstOf(document.names, (name) => objects.seek(place, name));
  const name = document.names.at(-1) ?? '';
  if (found === undefined) {
    if (isDryRun) {
      // What an import would refuse is known here too.
      if (!document.isOpenApi) (await import('../import-judge.ts')).judgeImport(document.body);
      return { kind: 'api', name, id: undefined, effect: 'would be created' };
    }
    return doneOf(
      apiKind,
      (await objects.importDefinition(document, { id: undefined, isDryRun })).body,
      'created',
    );
  }
  // What it changes is asked first: the answer of the change itself says only what conflicted.
  const { body: effect } = await objects.importDefinition(document, { id: found.id, isDryRun: true });
  const differences = listAt(effect, 'differences');
  const conflicts = listAt(effect, 'conflicts');
  const done = {
    kind: 'api',
    name: textAt(found.fields, 'name') || name,
    id: found.id,
    differences,
    conflicts,
  };
  if (differences.length === 0) return { ...done, effect: 'unchanged' };
  if (isDryRun) return { ...done, effect: 'would be changed' };
  await objects.importDefinition(document, { id: found.id, isDryRun });
  return { ...done, effect: 'changed' };
}

/** What the file says of an object replaces what is there, field by field; what it leaves out stays. */
async function appliedObject(
  objects: Objects,
  { place, body, isDryRun }: { readonly place: Place; readonly body: Fields; readonly isDryRun: boolean },
): Promise<Done> {
  const { kind } = place;
  const names = [textAt(body, kind.idField ?? 'id'), ...kind.names.map((path) => textAt(body, path))].filter(
    (name) => name !== '',
  );
  const found = await firstOf(names, (name) => objects.seek(place, name));
  if (found === undefined) {
    if (isDryRun) return { kind: kind.name, name: names[0] ?? '', id: undefined, effect: 'would be created' };
    return doneOf(kind, (await objects.create(place, body)).body, 'created');
  }
  const differences = differing(body, found.fields);
  const done = (effect: Done['effect'], fields: Fields = found.fields): Done => ({
    ...doneOf(kind, fields, effect),
    id: found.id,
  });
  if (differences.length === 0) return done('unchanged');
  if (isDryRun) return { ...done('would be changed'), differences: differences.map(asDifference) };
  await written(objects, { place, found, body, differences });
  const after = (await objects.find(place, found.id)).fields;
  const otherwise = differing(body, after);
  const changed = differences.filter((path) => !isSame(found.fields[path], after[path]));
  return {
    ...done(changed.length === 0 ? 'unchanged' : 'changed', after),
    differences: changed.map(asDifference),
    otherwise,
  };
}

interface Wish {
  readonly place: Place;
  readonly found: Found;
  readonly body: Fields;
  readonly differences: readonly string[];
}

/** A state is moved to, which no PUT does; the move comes last, since a plan that is published keeps its security. */
async function written(objects: Objects, { place, found, body, differences }: Wish): Promise<void> {
  const { moves } = place.kind;
  const to = moves !== undefined && differences.includes(moves.field) ? textAt(body, moves.field) : undefined;
  // What cannot be is known before anything is written.
  if (to !== undefined) movePathOf(place.kind, to);
  if (differences.length > (to === undefined ? 0 : 1))
    await objects.replace(place, found, { ...found.fields, ...body });
  if (to !== undefined) await objects.move(place, found.id, to);
}

const asDifference = (path: string): { readonly path: string } => ({ path });

/** Moments that the control plane notes by itself, which a file has from when it was written. */
const noted = /^(created|updated|deployed|lastFetch)(At|_at)?$/;

/** Fields of which a file says something else than an object; `null` is absence. */
const differing = (body: Fields, fields: Fields): readonly string[] =>
  Object.keys(body).filter((name) => !noted.test(name) && !isSame(body[name], fields[name]));

const isSame = (one: unknown, other: unknown): boolean =>
  isDeepStrictEqual(one ?? undefined, other ?? undefined);

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

function doneOf(kind: Kind, body: unknown, effect: Done['effect']): Done {
  const name = ['name', 'displayName', 'value']
    .map((field) => textAt(body, field))
    .find((text) => text !== '');
  const id = textAt(body, 'id');
  const shownOnce = kind.shownOnce === undefined ? '' : textAt(body, kind.shownOnce);
  return {
    kind: kind.name,
    name: name ?? id,
    id: id === '' ? undefined : id,
    effect,
    ...(shownOnce !== '' && { shownOnce }),
  };
}

/** Tells people what became of a document; what is shown once is data, which programs get with the rest of it. */
export function tell(done: Done, output: Output): void {
  const { kind, name, id, effect, isDeployed, differences = [], conflicts = [], otherwise = [] } = done;
  say(
    `${kind} ${name}${id === undefined || id === name ? '' : ` (${id})`} ${effect}${isDeployed === true ? ' and deployed' : ''}`,
  );
  for (const difference of differences) say(`  ${textAt(difference, 'path')}`);
  for (const conflict of conflicts)
    say(`  changed on both sides, the file counts: ${textAt(conflict, 'path')}`);
  if (otherwise.length > 0)
    say(`  not as the file says, which cannot be written here: ${otherwise.join(', ')}`);
  if (done.shownOnce === undefined || output !== 'table') return;
  say('  its key, shown only here:');
  print(done.shownOnce);
}

const listAt = (fields: unknown, path: string): readonly unknown[] => {
  const value = valueAt(fields, path);
  return Array.isArray(value) ? value : [];
};

const textAt = (fields: unknown, path: string): string => {
  const value = valueAt(fields, path);
  return typeof value === 'string' ? value : '';
};
