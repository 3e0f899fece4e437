import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';
import { displayNames } from '../../access/users.store.ts';
import { foundApi, type ApiRef } from '../apis/api-gate.ts';
import { findDeployment } from '../deployments/deployments.store.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { boundsOf } from '../pages.ts';
import {
  type ApiEventRow,
  apiEventTypes,
  deploymentEventRow,
  findTurn,
  listApiEventRows,
} from './api-events.store.ts';
import { findNumbered, numberOf, type RevisionSearch } from './revisions.ts';

/** What became of an API at its gateways, in the reference's form. */
export const eventSchema = z
  .object({
    id: z.string(),
    createdAt: z.string(),
    environmentIds: z.array(z.string()),
    initiator: z.object({ id: z.string(), displayName: z.string().optional() }),
    type: z.enum(apiEventTypes),
    payload: z.string().optional(),
    properties: z.record(z.string(), z.string()),
  })
  .openapi('Event');

type EventView = z.infer<typeof eventSchema>;

/** A page of an API's deployments, starts and stops, newest first; of types that an API has no events of there are none. */
export async function listApiEvents(
  desk: Desk,
  input: RevisionSearch & {
    readonly types?: readonly string[] | undefined;
    /** Moments, ms since the epoch, both inclusive. */
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  },
): Promise<{ readonly data: readonly EventView[]; readonly total: number }> {
  const { types = [] } = input;
  const { db } = desk.storage;
  const api = await foundApi(db, input);
  const { rows, total } = await listApiEventRows(desk.storage, api, {
    types: types.length === 0 ? apiEventTypes : apiEventTypes.filter((type) => types.includes(type)),
    from: input.from,
    to: input.to,
    bounds: boundsOf(input.page),
  });
  const users = rows.map((row) => row.userId);
  const names = await displayNames(db, input.at.organization, users);
  return { data: rows.map((row) => view(input, row, names)), total };
}

/** One event, with what gateways were to have as text, secrets masked. Errors: event.notFound. */
export async function getApiEvent(
  desk: Desk,
  ref: ApiRef & { readonly eventId: string },
): Promise<EventView> {
  const { db } = desk.storage;
  const api = await foundApi(db, ref);
  const deployment = await findNumbered(desk, { ...ref, number: numberOf(ref) });
  const row =
    deployment === undefined ? await findTurn(db, api, ref.eventId) : deploymentEventRow(deployment);
  if (row === undefined) throw new Fault('event.notFound', { parameters: { event: ref.eventId } });
  const names = await displayNames(db, ref.at.organization, [row.userId]);
  const { number } = row;
  const had =
    deployment ??
    (number === undefined ? undefined : await findDeployment(db, ref.at, { api: ref.id, number }));
  if (had === undefined) return view(ref, row, names);
  // Masked before it becomes a text, in which nobody would look for it.
  const payload = JSON.stringify(maskSealed(JSON.parse(had.definition) as object));
  return { ...view(ref, row, names), payload };
}

function view({ at, id }: ApiRef, row: ApiEventRow, names: ReadonlyMap<string, string>): EventView {
  return {
    id: row.id,
    createdAt: new Date(row.atMs).toISOString(),
    environmentIds: [at.environment],
    initiator: present({ id: row.userId, displayName: names.get(row.userId) }),
    type: row.type,
    properties: present({
      api_id: id,
      ...(row.number !== undefined && { deployment_number: String(row.number) }),
      ...(row.label !== undefined && { deployment_label: row.label }),
      user: row.userId,
    }),
  };
}
