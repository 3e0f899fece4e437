import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { authorize, type Action, type Actor } from '../../access/actor.ts';
import type { Queries } from '../../storage/storage.ts';
import type { Change } from '../desk.ts';
import { findApi, lockApi, type ApiRow } from './apis.store.ts';

/** Which API is meant. */
export interface ApiRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** The row, or request.not_found. */
export function requireApi(row: ApiRow | undefined, id: string): ApiRow {
  if (row === undefined) throw new Fault('request.not_found', { detail: `There is no API "${id}" here.` });
  return row;
}

/** Asks `can` for an API that may be missing: strangers to the tenant learn nothing either way. */
export function authorizeApi(
  actor: Actor,
  action: Action,
  { at, row }: { readonly at: EnvironmentRef; readonly row: ApiRow | undefined },
): void {
  authorize(actor, action, {
    kind: 'api',
    organization: at.organization,
    ...(row === undefined ? {} : { isPublic: row.visibility === 'PUBLIC' }),
  });
}

/** The API with its row locked, for somebody who may change it. Errors: request.not_found, request.forbidden. */
export async function lockApiFor(
  now: Change,
  id: string,
  action: 'update' | 'delete' = 'update',
): Promise<ApiRow> {
  const row = await lockApi(now.trx, now.at, id);
  authorizeApi(now.actor, action, { at: now.at, row });
  return requireApi(row, id);
}

/** The API for somebody who may read it. Errors: request.not_found, request.forbidden. */
export async function readApiFor(db: Queries, actor: Actor, { at, id }: ApiRef): Promise<ApiRow> {
  const row = await findApi(db, at, id);
  authorizeApi(actor, 'read', { at, row });
  return requireApi(row, id);
}
