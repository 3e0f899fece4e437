import { isObject, type JsonObject } from '../../../kit/schema-form/shape.ts';
import type { Designing } from '../design/use-design.ts';

/** The objects of a list of a draft; undefined when it is none, since drafts may hold anything. */
export function objectsOf(value: unknown): readonly JsonObject[] | undefined {
  if (value === undefined) return [];
  return Array.isArray(value) && value.every(isObject) ? value : undefined;
}

/** A text of a draft, empty when it is none. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Writes a section of the API; texts that are typed one after the other at a place are undone as one. */
export function writeSection(designing: Designing, section: JsonObject, subject: string): void {
  const { design } = designing;
  const api = Object.fromEntries(
    Object.entries({ ...design.api, ...section }).filter(([, value]) => value !== undefined),
  );
  designing.change({ ...design, api }, subject);
}

/** What is wrong at a place of the API, or with an entry of the list that stands there, in one line. */
export function faultAt({ faults }: Designing, place: string): string | undefined {
  const here = (faults['api'] ?? []).filter(
    ({ location }) => location === place || location.startsWith(`${place}[`),
  );
  return here.length === 0 ? undefined : here.map(({ message }) => message).join('; ');
}

/** The words of a list; what is none of them is told of as a fault. */
export const wordsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
