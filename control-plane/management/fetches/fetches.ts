import { z } from '@hono/zod-openapi';
import { type Words, wordsOfText } from '../../../proto/model/fetched/words.ts';
import type { AuditEvent } from '../audit/events.ts';
import type { AuditedObject, Change } from '../desk.ts';
import { present } from '../fields.ts';
import type { FetchedRow } from './fetches.store.ts';
import type { Question } from './fetching.ts';

/** For whom something is fetched: what whoever polls has to know of it, so that it knows no kind. */
export interface Fetcher {
  /** What is asked for now, with its secrets; undefined when nothing is. Errors: secrets.*. */
  question(now: Change, id: string): Promise<Question | undefined>;
  /**
   * Locks the owner's row and gives what takes a text from now on; undefined when it is gone.
   *
   * `Change.publish` alone tells gateways; a message refuses the text.
   */
  lock(now: Change, id: string): Promise<Owner | undefined>;
}

/** An owner whose row is locked. */
export interface Owner {
  readonly object: AuditedObject;
  readonly touched?: Readonly<Record<string, string>>;
  readonly events: { readonly failed: AuditEvent; readonly recovered: AuditEvent };
  /** Takes what came: for words as {@link wordsOfText} reads them. */
  publish(text: string): Promise<string | undefined>;
}

/** How fetching goes, as answers have it. */
export const fetchStateSchema = z
  .object({
    tried_at: z.int().optional(),
    fetched_at: z.int().optional(),
    problem: z.string().optional(),
  })
  .openapi('FetchState');

/** How fetching goes, for a reader; undefined as long as nothing was tried. */
export function fetchStateOf(row: FetchedRow | undefined): z.infer<typeof fetchStateSchema> | undefined {
  if (row === undefined || row.tried_at_ms === null) return undefined;
  return present({
    tried_at: row.tried_at_ms,
    fetched_at: row.fetched_at_ms ?? undefined,
    problem: row.problem ?? undefined,
  });
}

/** The words that were fetched last; undefined before the first. */
export function wordsOf(row: FetchedRow | undefined): Words | undefined {
  return row === undefined || row.words === null ? undefined : wordsOfText(row.words);
}
