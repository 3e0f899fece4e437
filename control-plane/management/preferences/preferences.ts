import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import type { Queries } from '../../storage/storage.ts';
import { changeOrganization, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { idSchema, present, readOnlyFields } from '../fields.ts';
import { checkIfMatch } from '../route.ts';
import { resolveEnvironment } from '../tenants/tenants.store.ts';
import { findPreferences, type PreferenceRow, putPreferences } from './preferences.store.ts';

/** Columns of a list of the console, beside its first one, which is always shown. */
const columnsOf = <const Name extends string>(...names: readonly [Name, ...Name[]]) =>
  z
    .array(z.enum(names))
    .max(names.length)
    .refine((chosen) => new Set(chosen).size === chosen.length, 'must not repeat a value')
    .optional();

const fields = {
  /** SYSTEM: what the browser prefers. */
  theme: z.enum(['SYSTEM', 'LIGHT', 'DARK']).optional(),
  /** How much room rows of lists have. */
  density: z.enum(['COMFORTABLE', 'COMPACT']).optional(),
  /** The environment that is shown first. */
  defaultEnvironment: idSchema.optional(),
  /** Which columns lists have, in which order; all of them where nobody has said. */
  tables: z
    .strictObject({
      apis: columnsOf('path', 'state', 'gateways', 'calls', 'server-errors', 'version', 'owner', 'changed'),
      logs: columnsOf('status', 'time', 'api', 'application', 'took', 'why'),
    })
    .optional(),
};

/** Body of a change: what is left out is as if nobody had chosen. */
export const preferencesWishSchema = z
  .strictObject({ ...fields, ...readOnlyFields('updated_at') })
  .openapi('PreferencesWish');
/** How somebody wants the console to look; `updated_at` is 0 while nobody has chosen. */
export const preferencesSchema = z.object({ ...fields, updated_at: z.int() }).openapi('Preferences');
/** The same as a type. */
export type PreferencesView = z.infer<typeof preferencesSchema>;

/** What the caller has chosen; an environment that is there no more is left out. */
export async function getPreferences({ storage }: Desk, actor: Actor): Promise<PreferencesView> {
  return viewOf(storage.db, actor, await findPreferences(storage.db, personOf(actor)));
}

/** Writes it. Errors: request.invalid for an environment that is not there; request.precondition_failed. */
export function setPreferences(
  desk: Desk,
  actor: Actor,
  {
    wish,
    ifMatch,
  }: { readonly wish: z.infer<typeof preferencesWishSchema>; readonly ifMatch: string | undefined },
): Promise<PreferencesView> {
  const { organization } = actor;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const before = await findPreferences(now.trx, personOf(actor));
    checkIfMatch(ifMatch, before?.updated_at_ms ?? 0);
    const { theme, density, tables } = wish;
    const chosen = { theme, density, defaultEnvironment: await environmentOf(now.trx, actor, wish), tables };
    const row: PreferenceRow = {
      user_id: actor.id,
      organization,
      chosen: JSON.stringify(chosen),
      updated_at_ms: laterThan(before?.updated_at_ms ?? 0, now.nowMs),
    };
    if (before !== undefined && isAsBefore(before, row)) return viewOf(now.trx, actor, before);
    const isOver = ifMatch === undefined ? ('any' as const) : before;
    if (!(await putPreferences(now.trx, row, { isOver }))) throw new Fault('request.precondition_failed');
    return viewOf(now.trx, actor, row);
  });
}

async function environmentOf(
  db: Queries,
  { organization }: Actor,
  { defaultEnvironment: named }: Pick<PreferencesView, 'defaultEnvironment'>,
): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const found = await resolveEnvironment(db, organization, named);
  if (found === undefined)
    throw new Fault('request.invalid', {
      details: [{ path: 'defaultEnvironment', message: `"${named}" is no environment of the organization` }],
    });
  return found.id;
}

async function viewOf(db: Queries, actor: Actor, row: PreferenceRow | undefined): Promise<PreferencesView> {
  const chosen = JSON.parse(row?.chosen ?? '{}') as Omit<PreferencesView, 'updated_at'>;
  const { defaultEnvironment: id } = chosen;
  const isThere = id !== undefined && (await resolveEnvironment(db, actor.organization, id)) !== undefined;
  return present({
    ...chosen,
    defaultEnvironment: isThere ? id : undefined,
    updated_at: row?.updated_at_ms ?? 0,
  });
}

const personOf = (actor: Actor) => ({ organization: actor.organization, userId: actor.id });
