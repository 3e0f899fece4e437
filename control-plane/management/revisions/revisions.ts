import { z } from '@hono/zod-openapi';
import { type Difference, differencesOf } from '../../../proto/definition/merge.ts';
import type { Json } from '../../../proto/definition/opened.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import { withoutSecrets } from '../../../proto/model/secrets/scrub.ts';
import { type Actor, can } from '../../access/actor.ts';
import { displayNames } from '../../access/users.store.ts';
import { apiGroups, apiOwner, type ApiRef, foundApi, lockedApi, resourceOf } from '../apis/api-gate.ts';
import { updateApiSchema, apiView } from '../apis/api-shape.ts';
import { updateLocked } from '../apis/apis.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { definitionFields } from '../apis/definition.ts';
import { only, wantedOf } from '../definitions/wanted.ts';
import {
  type DeploymentRow,
  findDeployment,
  listDeployments,
  setLabel,
} from '../deployments/deployments.store.ts';
import { deployableDefinition } from '../deployments/publication.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { takeDraft } from '../drafts/drafts.ts';
import { present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { deployedPlanFields, planView, updatePlanSchema } from '../plans/plan-shape.ts';
import { editLocked } from '../plans/plans.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';

/** Longest label of a deployment, in characters. */
export const labelCharsMax = 32;

const fields = {
  number: z.int(),
  label: z.string().optional(),
  deployedAt: z.string(),
  deployedBy: z.object({ id: z.string(), displayName: z.string().optional() }),
  /** Whether it is what gateways are to have. */
  isCurrent: z.boolean(),
};

/** A revision as lists tell of it. */
export const revisionSchema = z.object(fields).openapi('ApiRevision');
/** A revision with what gateways got of it. */
export const wholeRevisionSchema = z
  .object({ ...fields, tags: z.array(z.string()), definition: z.record(z.string(), z.unknown()) })
  .openapi('ApiWholeRevision');
/** What differs between two revisions. */
export const revisionDiffSchema = z
  .object({
    before: z.string(),
    after: z.string(),
    differences: z.array(
      z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
    ),
  })
  .openapi('ApiRevisionDiff');

type Revision = z.infer<typeof revisionSchema>;
type WholeRevision = z.infer<typeof wholeRevisionSchema>;

/** Which deployments are wanted. */
export interface RevisionSearch extends ApiRef {
  readonly page: PageWish;
}

/** A page of an API's deployments, newest first, without what they hold. */
export async function listRevisions(
  desk: Desk,
  input: RevisionSearch,
): Promise<{ readonly data: readonly Revision[]; readonly total: number }> {
  const { db } = desk.storage;
  const api = await foundApi(db, input);
  const { rows, total } = await listDeployments(desk.storage, api, boundsOf(input.page));
  const users = rows.map((row) => row.user_id);
  const names = await displayNames(db, input.at.organization, users);
  return { data: rows.map((row) => revision(api, row, names)), total };
}

/** One deployment with what gateways got, its secrets masked. Errors: request.not_found. */
export async function getRevision(
  desk: Desk,
  ref: ApiRef & { readonly number: string },
): Promise<WholeRevision> {
  const { db } = desk.storage;
  const api = await foundApi(db, ref);
  const row = requireRevision(await findNumbered(desk, ref), ref.number);
  const names = await displayNames(db, ref.at.organization, [row.user_id]);
  const tags = JSON.parse(row.tags) as string[];
  return { ...revision(api, row, names), tags, definition: JSON.parse(row.definition) as Json };
}

/** A number for the ETag of a deployment, of which only the label can be changed. */
export function labelVersionOf({ label }: Pick<WholeRevision, 'label'>): number {
  return contentVersionOf({ label });
}

/** Names a deployment, or takes its name away. Errors: request.not_found. */
export function labelRevision(
  desk: Desk,
  actor: Actor,
  ref: ApiRef & {
    readonly number: string;
    readonly label: string | undefined;
    readonly ifMatch?: string | undefined;
  },
): Promise<WholeRevision> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    const row = requireRevision(await findNumbered({ storage: { db: now.trx } }, ref), ref.number);
    checkIfMatch(ref.ifMatch, labelVersionOf({ label: row.label ?? undefined }));
    if (row.label === (ref.label ?? null)) return;
    await setLabel(now.trx, row, ref.label ?? null);
    const rows = { before: { label: row.label }, after: { label: ref.label ?? null } };
    await now.audit(
      'API_DEPLOYMENT_LABELLED',
      { type: 'API', id: ref.id, ...rows },
      { DEPLOYMENT: ref.number },
    );
  }).then(() => getRevision(desk, ref));
}

/** What `against` has otherwise than a deployment: another one, or `current`, which is what would be deployed now, by its draft if the actor may write it. Errors: request.not_found; those of a deployment. */
export async function diffRevision(
  desk: Desk,
  actor: Actor,
  ref: ApiRef & { readonly number: string; readonly against: string },
): Promise<{ readonly before: string; readonly after: string; readonly differences: readonly Difference[] }> {
  const { number, against } = ref;
  const sides = await change(desk, { actor, at: ref.at, isDryRun: true }, async (now) => {
    const storage = { db: now.trx };
    const row = requireRevision(await findNumbered({ storage }, ref), number);
    const before = JSON.parse(row.definition) as unknown;
    if (against !== 'current') {
      const other = requireRevision(await findNumbered({ storage }, { ...ref, number: against }), against);
      return { before, after: JSON.parse(other.definition) as unknown };
    }
    // Opened first: what is the same secret then has the same sealed text.
    await now.secrets.open(before, apiOwner(ref.id));
    const api = await lockedApi(now, ref.id);
    // A draft is for those who could have written it; for others, what is stored would be deployed.
    const isWriter = can(actor, 'api-definition:update', resourceOf(api));
    const plain = await deployableDefinition(now, isWriter ? await takeDraft(now, api) : api);
    const after: unknown = JSON.parse(
      JSON.stringify(await now.secrets.seal(plain, apiOwner(ref.id), before)),
    );
    return { before, after };
  });
  return { before: number, after: against, differences: differencesOf(sides.before, sides.after) };
}

/**
 * Writes an API as it was when it was deployed: its definition, and the content of those of its plans that are still open. Gateways follow with
 * the next deployment; plans that came since stay, those that were closed stay closed, and so do their subscriptions.
 *
 * Errors: event.notFound; those of an update.
 */
export function rollbackApi(
  desk: Desk,
  actor: Actor,
  ref: ApiRef & { readonly eventId: string },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const api = await lockedApi(now, ref.id);
    const source = { storage: { db: now.trx } };
    const row = requireEvent(await findNumbered(source, { ...ref, number: numberOf(ref) }), ref.eventId);
    const kept = JSON.parse(row.definition) as unknown;
    const { definition, secrets } = await now.secrets.open(kept, apiOwner(api.id));
    const wanted = withoutSecrets(secrets, () => wantedOf(definition as Json));
    await writeApi(now, api, { fields: wanted.api, tags: JSON.parse(row.tags) as unknown });
    await writePlans(now, api, wanted.plans ?? []);
    await now.audit('API_ROLLBACKED', { type: 'API', id: api.id }, { DEPLOYMENT: String(row.number) });
  });
}

async function writeApi(
  now: Change,
  api: ApiRow,
  { fields: deployed, tags }: { readonly fields: Json; readonly tags: unknown },
): Promise<void> {
  const groups = (await apiGroups(now.trx, [api])).get(api.id);
  const names = Object.keys(definitionFields);
  const view = Object.entries(apiView(api, { owner: undefined, isInside: true, groups }));
  // What was not deployed with it is not there any more: a resource that came since is gone.
  const rest = Object.fromEntries(view.filter(([name]) => !names.includes(name)));
  const wish = { ...rest, ...only([...names, 'name', 'apiVersion'], deployed), tags };
  await updateLocked(now, api, checked(updateApiSchema, wish));
}

async function writePlans(now: Change, api: ApiRow, deployed: readonly Json[]): Promise<void> {
  const plans = await listPlansOf(now.trx, now.at, api.id);
  for (const plan of plans) {
    const then = deployed.find(({ id }) => id === plan.id);
    if (then === undefined || plan.status === 'CLOSED') continue;
    const view = Object.entries(planView(plan, true)).filter(([name]) => !deployedPlanFields.includes(name));
    const wish = checked(updatePlanSchema, {
      ...Object.fromEntries(view),
      ...only(deployedPlanFields, then),
      name: then['name'],
    });
    await editLocked(now, { api: await lockedApi(now, api.id), plan, wish });
  }
}

function checked<T>(schema: z.ZodType<T>, wish: object): T {
  const parsed = schema.safeParse(wish);
  if (!parsed.success) throw new Fault('request.invalid', { details: detailsOf(parsed.error.issues) });
  return parsed.data;
}

type Head = Omit<DeploymentRow, 'definition'>;

function revision(api: ApiRow, row: Head, names: ReadonlyMap<string, string>): Revision {
  return present({
    number: row.number,
    label: row.label ?? undefined,
    deployedAt: new Date(row.created_at_ms).toISOString(),
    deployedBy: present({ id: row.user_id, displayName: names.get(row.user_id) }),
    isCurrent: row.number === api.deployed_number,
  });
}

/** The number in the id of an event of the API; an id of another one has none. */
export function numberOf({ id, eventId }: { readonly id: string; readonly eventId: string }): string {
  return eventId.startsWith(`${id}_`) ? eventId.slice(id.length + 1) : '';
}

/** A deployment by its number as text; undefined for what is no number as well. */
export function findNumbered(
  { storage: { db } }: { readonly storage: Pick<Desk['storage'], 'db'> },
  { at, id, number }: ApiRef & { readonly number: string },
): Promise<DeploymentRow | undefined> {
  if (!/^[1-9]\d{0,8}$/.test(number)) return Promise.resolve(undefined);
  return findDeployment(db, at, { api: id, number: Number(number) });
}

function requireRevision(row: DeploymentRow | undefined, number: string): DeploymentRow {
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `The API has no deployment "${number}".` });
  return row;
}

function requireEvent(row: DeploymentRow | undefined, eventId: string): DeploymentRow {
  if (row === undefined) throw new Fault('event.notFound', { parameters: { event: eventId } });
  return row;
}
