import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { demandComputable, figuresRequestSchema } from '../analytics/document-figures.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { readOnlyFields, textSchema } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkIfMatch } from '../route.ts';
import {
  countDashboards,
  type DashboardRow,
  deleteDashboardRow,
  findDashboard,
  insertDashboard,
  listDashboardRows,
  updateDashboardRow,
} from './dashboards.store.ts';

/** Most dashboards of an environment, widgets of one, labels of one, and columns and rows of a widget. */
const dashboardsMax = 1_000;
const widgetsMax = 100;
const labelsMax = 50;
const cellsMax = 1_000;

const widgetTypes = [
  'stats',
  'doughnut',
  'pie',
  'polarArea',
  'time-series-line',
  'time-series-bar',
  'vertical-bar',
  'horizontal-bar',
] as const;
const titleSchema = z.string().trim().min(3).max(256);
const cells = (min: number) => z.int().min(min).max(cellsMax);
const widgetSchema = z
  .strictObject({
    id: z.string().min(1).max(64),
    title: titleSchema,
    description: textSchema.optional(),
    type: z.enum(widgetTypes),
    layout: z.strictObject({ x: cells(0), y: cells(0), cols: cells(1), rows: cells(1) }),
    request: figuresRequestSchema,
  })
  .openapi('Widget');
const labelsSchema = z
  .record(
    z.string().regex(/^[^.]{1,128}$/, 'must be up to 128 characters without a dot'),
    z.string().max(256),
  )
  .refine((labels) => Object.keys(labels).length <= labelsMax, `must be ${labelsMax} at most`);

/** Body of a creation and of an update; what an update leaves out stays. */
export const dashboardWishSchema = z
  .strictObject({
    ...readOnlyFields('id', 'createdBy', 'createdAt', 'lastModified'),
    name: titleSchema,
    labels: labelsSchema.optional(),
    widgets: z.array(widgetSchema).max(widgetsMax).optional(),
  })
  .openapi('CreateUpdateDashboard');

/** A dashboard as it is answered. */
export const dashboardSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    labels: labelsSchema,
    widgets: z.array(widgetSchema),
    /** Id of a user. */
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    lastModified: z.iso.datetime(),
  })
  .openapi('Dashboard');

type DashboardWish = z.infer<typeof dashboardWishSchema>;
/** A dashboard as it is answered. */
export type DashboardView = z.infer<typeof dashboardSchema>;

/** Which dashboard is meant. */
interface DashboardRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** A page of dashboards, by name. */
export async function listDashboards(
  desk: Desk,
  { at, page }: { readonly at: EnvironmentRef; readonly page: PageWish },
): Promise<{ readonly data: readonly DashboardView[]; readonly total: number }> {
  const { rows, total } = await listDashboardRows(desk.storage, at, boundsOf(page));
  return { data: rows.map(view), total };
}

/** One dashboard. Errors: request.not_found. */
export async function getDashboard(desk: Desk, { at, id }: DashboardRef): Promise<DashboardView> {
  return view(found(await findDashboard(desk.storage.db, at, id), id));
}

/** Makes a dashboard. Errors: request.invalid naming the widget whose figures cannot be computed. */
export function createDashboard(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: DashboardWish },
): Promise<DashboardView> {
  demandWidgets(at, wish);
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    if ((await countDashboards(now.trx, at)) >= dashboardsMax)
      throw new Fault('request.invalid', {
        detail: `There can be ${dashboardsMax} dashboards; delete one first.`,
      });
    const row: DashboardRow = {
      ...at,
      id: randomUUID(),
      ...nameColumns(wish),
      labels: JSON.stringify(wish.labels ?? {}),
      widgets: JSON.stringify(wish.widgets ?? []),
      created_by: actor.id,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    await insertDashboard(now.trx, row);
    await audit(now, 'DASHBOARD_CREATED', { after: row });
    return view(row);
  });
}

/** Changes a dashboard. Errors: those of a creation, request.not_found, request.precondition_failed. */
export function updateDashboard(
  desk: Desk,
  actor: Actor,
  ref: DashboardRef & { readonly wish: DashboardWish; readonly ifMatch: string | undefined },
): Promise<DashboardView> {
  const { at, id, wish } = ref;
  demandWidgets(at, wish);
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const row = found(await findDashboard(now.trx, at, id), id);
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    const set = {
      ...nameColumns(wish),
      ...(wish.labels !== undefined && { labels: JSON.stringify(wish.labels) }),
      ...(wish.widgets !== undefined && { widgets: JSON.stringify(wish.widgets) }),
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    };
    if (isAsBefore(row, set)) return view(row);
    const after = await updateDashboardRow(now.trx, row, set);
    await audit(now, 'DASHBOARD_UPDATED', { before: row, after });
    return view(after);
  });
}

/** Removes a dashboard. Errors: request.not_found, request.precondition_failed. */
export function deleteDashboard(
  desk: Desk,
  actor: Actor,
  { at, id, ifMatch }: DashboardRef & { readonly ifMatch: string | undefined },
): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const row = found(await findDashboard(now.trx, at, id), id);
    checkIfMatch(ifMatch, row.updated_at_ms);
    await deleteDashboardRow(now.trx, row);
    await audit(now, 'DASHBOARD_DELETED', { before: row });
  });
}

/** What is kept can be shown: each widget's figures could be computed now. */
function demandWidgets(at: EnvironmentRef, { widgets = [] }: DashboardWish): void {
  widgets.forEach(({ id, request }, n) => {
    if (widgets.findIndex((other) => other.id === id) !== n)
      throw new Fault('request.invalid', {
        details: [{ path: `widgets[${n}].id`, message: `"${id}" is another widget` }],
      });
    try {
      demandComputable(at, request);
    } catch (error) {
      if (!(error instanceof Fault) || error.details.length === 0) throw error;
      const details = error.details.map(({ path, ...rest }) => ({
        path: `widgets[${n}].request.${path}`,
        ...rest,
      }));
      throw new Fault('request.invalid', { details });
    }
  });
}

const nameColumns = ({ name }: DashboardWish) => ({ name, name_key: name.toLowerCase() });

function view(row: DashboardRow): DashboardView {
  return {
    id: row.id,
    name: row.name,
    labels: JSON.parse(row.labels) as DashboardView['labels'],
    widgets: JSON.parse(row.widgets) as DashboardView['widgets'],
    createdBy: row.created_by,
    createdAt: new Date(row.created_at_ms).toISOString(),
    lastModified: new Date(row.updated_at_ms).toISOString(),
  };
}

function found(row: DashboardRow | undefined, id: string): DashboardRow {
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `There is no dashboard "${id}" here.` });
  return row;
}

function audit(now: Change, event: AuditEvent, told: Told<DashboardRow>): Promise<void> {
  const object = { type: 'ENVIRONMENT', id: now.at.environment, ...told } as const;
  return now.audit(event, object, { DASHBOARD: toldRow(told).id });
}
