import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import {
  deleteTemplateRow,
  findTemplateRow,
  insertTemplate,
  listTemplateRows,
  type TemplateRow,
  updateTemplateRow,
} from '../../mail/templates.store.ts';
import {
  faultsOf,
  nameOf,
  sampleFacts,
  type Template,
  templateCharsMax,
  templateOf,
  templates,
} from '../../mail/templates.ts';
import { attempt } from '../../mail/written.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { isUniqueViolation } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  laterThan,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { idSchema, present, readOnlyFields } from '../fields.ts';
import { checkIfMatch } from '../route.ts';

const typeSchema = z.enum(['EMAIL', 'PORTAL']);
const scopeSchema = z.enum(['API', 'APPLICATION', 'PORTAL', 'TEMPLATES_FOR_ACTION']);

/** Body of words that somebody writes in place of ours. */
export const templateWishSchema = z
  .strictObject({
    id: idSchema.optional(),
    scope: scopeSchema,
    hook: z.string().min(1).max(64),
    type: typeSchema,
    /** A template of FreeMarker, of one line of text. */
    title: z.string().min(1).max(templateCharsMax.title),
    /** Of HTML for EMAIL, of text for PORTAL. */
    content: z.string().min(1).max(templateCharsMax.content),
    /** False: the words of the product are said. */
    enabled: z.boolean().default(true),
    ...readOnlyFields('name', 'description', 'given', 'created_at', 'updated_at'),
  })
  .openapi('NotificationTemplateWish');
/** What somebody wishes. */
export type TemplateWish = z.infer<typeof templateWishSchema>;

/** A template as it is answered; one without id has the words of the product. */
export const templateSchema = z
  .object({
    id: z.string().optional(),
    scope: scopeSchema,
    hook: z.string(),
    type: typeSchema,
    name: z.string(),
    description: z.string(),
    title: z.string(),
    content: z.string(),
    enabled: z.boolean(),
    /** What it can name, e.g. `user.email`. */
    given: z.array(z.string()),
    created_at: z.int().optional(),
    updated_at: z.int().optional(),
  })
  .openapi('NotificationTemplate');
/** The same as a type. */
export type TemplateView = z.infer<typeof templateSchema>;

/** What a template makes of facts to look at it with. */
export const templatePreviewSchema = z
  .object({ title: z.string(), text: z.string(), html: z.string().optional() })
  .openapi('NotificationTemplatePreview');

/** All that can be said, by the words in force: those of the organization, else of the product. */
export async function listTemplates(
  desk: Desk,
  organization: string,
  { scope, hook }: { readonly scope?: string | undefined; readonly hook?: string | undefined },
): Promise<readonly TemplateView[]> {
  const rows = await listTemplateRows(desk.storage.db, organization);
  const written = new Map(rows.map((row) => [nameOf(row), row]));
  return templates
    .filter(
      (one) => (scope === undefined || one.scope === scope) && (hook === undefined || one.hook === hook),
    )
    .map((one) => viewOf(one, written.get(nameOf(one))));
}

/** One that the organization has written. Errors: notificationTemplate.notFound. */
export async function getTemplate(desk: Desk, organization: string, id: string): Promise<TemplateView> {
  const row = await findTemplateRow(desk.storage.db, organization, id);
  return viewOf(templateFor(row), row);
}

/** Writes words in place of ours. Errors: request.invalid with line and character; notificationTemplate.notFound; request.conflict. */
export function createTemplate(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: TemplateWish },
): Promise<TemplateView> {
  const template = judged(wish);
  const { scope, hook, type, title, content, enabled } = wish;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    const row: TemplateRow = {
      id: randomUUID(),
      organization,
      scope,
      hook,
      type,
      title,
      content,
      enabled: enabled ? 1 : 0,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    try {
      await insertTemplate(now.trx, row);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new Fault('request.conflict', { detail: 'The organization has words of its own here already.' });
    }
    await audit(now, 'NOTIFICATION_TEMPLATE_CREATED', { after: row });
    return viewOf(template, row);
  });
}

/** Changes them. Errors: request.invalid with line and character; notificationTemplate.notFound. */
export function updateTemplate(
  desk: Desk,
  actor: Actor,
  {
    organization,
    id,
    wish,
    ifMatch,
  }: {
    readonly organization: string;
    readonly id: string;
    readonly wish: TemplateWish;
    readonly ifMatch?: string | undefined;
  },
): Promise<TemplateView> {
  const { scope, hook, type, title, content, enabled } = wish;
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const row = await findTemplateRow(now.trx, organization, id);
    if (row === undefined) throw new Fault('notificationTemplate.notFound');
    checkIfMatch(ifMatch, row.updated_at_ms);
    const template = templateFor(row);
    const details = Object.entries({ scope, hook, type, id: wish.id ?? id }).flatMap(([path, value]) =>
      row[path as 'scope' | 'hook' | 'type' | 'id'] === value
        ? []
        : [{ path, message: 'is not that of the template' }],
    );
    if (details.length > 0) throw new Fault('request.invalid', { details });
    demandWorking(template, wish);
    const set = {
      title,
      content,
      enabled: enabled ? 1 : 0,
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    };
    if (isAsBefore(row, set)) return viewOf(template, row);
    const after = await updateTemplateRow(now.trx, row, set);
    await audit(now, 'NOTIFICATION_TEMPLATE_UPDATED', { before: row, after });
    return viewOf(template, after);
  });
}

/** Gives them up: the words of the product are said again. Errors: notificationTemplate.notFound. */
export async function deleteTemplate(
  desk: Desk,
  actor: Actor,
  {
    organization,
    id,
    ifMatch,
  }: { readonly organization: string; readonly id: string; readonly ifMatch?: string | undefined },
): Promise<void> {
  await changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const row = await findTemplateRow(now.trx, organization, id);
    if (row === undefined) throw new Fault('notificationTemplate.notFound');
    checkIfMatch(ifMatch, row.updated_at_ms);
    await deleteTemplateRow(now.trx, row);
    await audit(now, 'NOTIFICATION_TEMPLATE_DELETED', { before: row });
  });
}

/** What would be said, with facts to look at it with. Errors: request.invalid with line and character; notificationTemplate.notFound. */
export function previewTemplate({ clock }: Desk, wish: TemplateWish): z.infer<typeof templatePreviewSchema> {
  const template = judged(wish);
  const words = { ...template, title: wish.title, content: wish.content };
  const made = attempt(words, sampleFacts(template), clock.now());
  if (made.kind === 'failed')
    throw new Fault('request.invalid', { details: [{ path: made.part, message: made.why }] });
  const { subject: title, text, html } = made.value;
  return { title, text, ...(wish.type === 'EMAIL' && { html }) };
}

function judged(wish: TemplateWish): Template {
  const template = templateOf(wish);
  if (template === undefined) throw new Fault('notificationTemplate.notFound');
  demandWorking(template, wish);
  return template;
}

function demandWorking(template: Template, wish: TemplateWish): void {
  const details = faultsOf(template, wish);
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** What a row stands in place of; of one that this version no longer says, nothing. Errors: notificationTemplate.notFound. */
function templateFor(row: TemplateRow | undefined): Template {
  const found = row && templateOf(row);
  if (found === undefined) throw new Fault('notificationTemplate.notFound');
  return found;
}

function viewOf(template: Template, row: TemplateRow | undefined): TemplateView {
  const { scope, hook, type, name, description, given } = template;
  return present({
    id: row?.id,
    scope: scope as TemplateView['scope'],
    hook,
    type,
    name,
    description,
    title: row?.title ?? template.title,
    content: row?.content ?? template.content,
    enabled: row === undefined || row.enabled === 1,
    given: Object.entries(given).flatMap(([thing, members]) =>
      members.length === 0 ? [thing] : members.map((member) => `${thing}.${member}`),
    ),
    created_at: row?.created_at_ms,
    updated_at: row?.updated_at_ms,
  });
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<TemplateRow>): Promise<void> {
  const { id } = toldRow(told);
  return now.audit(
    event,
    { type: 'ORGANIZATION', id: now.organization, ...told },
    { NOTIFICATION_TEMPLATE: id },
  );
}
