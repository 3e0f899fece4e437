import { firstUnkeepable } from '../control-plane/management/keepable.ts';
import {
  apiNames,
  type ImportWish,
  importWishOf,
  planNames,
} from '../control-plane/management/definitions/wanted.ts';
import type { JudgeDocument } from '../data-plane/local/check.ts';
import { glanceAt, namedToRead } from '../proto/definition/glance.ts';
import type { Json, Note } from '../proto/definition/opened.ts';
import { placesIn, readApi, readIdleParts } from '../proto/definition/read.ts';
import { Fault } from '../proto/faults/fault.ts';
import type { ApiDefinition } from '../proto/model/api.ts';
import { sharedGroupsOf } from '../proto/model/api/shared-policy-group.ts';

/**
 * Judges a document as the management API's import does, masks of secrets included, and notes what keeps what was imported from being
 * deployed; what it finds of groups and context paths is known there alone.
 */
export const judgeImport: JudgeDocument = (document) => {
  const unkeepable = firstUnkeepable(document);
  if (unkeepable !== undefined) throw new Fault('request.invalid', { details: [unkeepable] });
  const glance = glanceAt(document);
  const named = namedToRead(document);
  const { api, notes } = readApi(named);
  const wish = importWishOf(document);
  return [
    ...notes.flatMap((note) => ofImport(note, glance.api !== document)),
    ...readIdleParts(named),
    ...missingGroups(api, placesIn(named)),
    ...plansNotes(wish),
  ];
};

/** An import keeps most of what a gateway does not look at, but nothing that stands beside the API of an export. */
function ofImport(note: Note, isHeld: boolean): readonly Note[] {
  if (note.kind !== 'portal') return [note];
  const isBeside = isHeld && !note.path.includes('.');
  return !isBeside && isKept(note.path)
    ? []
    : [{ ...note, message: 'is made anew, or left behind, by an import' }];
}

/** Whether an import keeps what stands here for console and portal. */
function isKept(path: string): boolean {
  const field = path.split('.').at(-1) ?? '';
  if (field === 'overrideAccess') return true;
  // Versions 1 and 2 have both spellings.
  const name = field.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  return (/(^|\.)plans[.[]/.test(path) ? planNames : apiNames).includes(name);
}

/** A group is found by its id in the environment that it is deployed in, which no file knows. */
function missingGroups(api: ApiDefinition, pathOf: (path: string) => string): readonly Note[] {
  return sharedGroupsOf(api).map(({ group, phase, path }) => ({
    path: pathOf(path),
    kind: 'doubt',
    message: `is deployed where the environment has the shared policy group "${group}", deployed and for the ${phase} phase`,
  }));
}

function plansNotes({ wanted, plans }: ImportWish): readonly Note[] {
  const closed = (wanted.plans ?? []).filter(({ status }) => status === 'CLOSED').map(nameOf);
  const isServed = plans.some(({ plan }) => plan['status'] !== 'STAGING');
  const doubt = (message: string): Note => ({ path: 'plans', kind: 'doubt', message });
  return [
    ...(closed.length === 0
      ? []
      : [doubt(`that are closed are left behind by an import: ${closed.join(', ')}`)]),
    ...(isServed ? [] : [doubt('has none that is published: it is deployed when one is')]),
  ];
}

const nameOf = ({ id, name }: Json): string => JSON.stringify(name === '' ? id : name);
