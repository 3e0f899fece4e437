import { sql } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Storage, Trx } from '../../../control-plane/storage/storage.ts';
import type { Database } from '../../../control-plane/storage/tables.ts';
import { copyRows, type Likeness } from './copies.ts';
import type { Templates } from './templates.ts';

/** How many of what an environment has. */
export const sizes = {
  apis: 10_000,
  applications: 10_000,
  subscriptions: 100_000,
  users: 10_000,
  audits: 1_000_000,
  /** Of the API that has more of everything than others, `api-1`. */
  subscriptionsOfOne: 20_000,
  deploymentsOfOne: 2_000,
  pagesOfOne: 499,
  membersOfOne: 900,
  portalPages: 500,
  groups: 500,
  membersOfGroup: 5_000,
  notifications: 10_000,
  fleets: 50,
  /** Of what environments and organizations have some of. */
  some: 500,
} as const;

/** APIs and applications that ann owns: the first ones, and no others. */
export const annsOwn = 50;

const words = ['orders', 'weather', 'payments', 'zebra', 'invoices', 'maps', 'stock', 'people'];
const wordOf = (number: string): string =>
  `case (${number}) % ${words.length} ${words.map((word, n) => `when ${n} then '${word}'`).join(' ')} end`;
const name = `${wordOf('i')} || ' of ' || ${wordOf('i / 8')} || ' ' || i`;
const hash = `substr('${'0'.repeat(64)}', 1, 64 - length(cast(i as text))) || i`;

/** Fills an environment out of one of each kind, in some ten seconds. */
export async function fillWorld(storage: Storage, at: EnvironmentRef, like: Templates): Promise<void> {
  await storage.transaction(async (trx) => {
    const copy = (table: keyof Database, likeness: Likeness) => copyRows(trx, table, likeness);
    await fillPeople(copy, at, like);
    await fillApis(copy, like);
    await fillApplications(copy, like);
    await fillRest(copy, at, like);
    await fillAudit(trx, at);
  });
  // What autovacuum does within a minute, and SQLite's upkeep in its own time.
  if (storage.dialect === 'postgres') await sql`vacuum analyze`.execute(storage.db);
}

type Copy = (table: keyof Database, likeness: Likeness) => Promise<void>;

async function fillPeople(copy: Copy, { organization, environment }: EnvironmentRef, like: Templates) {
  const count = sizes.users;
  const texts = { username: "'user-' || i", display_name: `'User ' || ${name}` };
  await copy('user_account', { of: { id: like.user }, count, set: { id: "'user-' || i", ...texts } });
  for (const [scope, reference] of [
    ['organization', organization],
    ['environment', environment],
  ] as const)
    await copy('membership', {
      of: { scope, reference, member: like.user },
      count,
      set: { member: "'user-' || i" },
    });
  await copy('user_group', {
    of: { id: like.group },
    count: sizes.groups,
    set: { id: "'group-' || i", name, name_key: name },
  });
  await copy('user_group_member', {
    of: { group_id: like.group },
    count: sizes.membersOfGroup,
    set: { group_id: "'group-1'", member: "'user-' || i" },
  });
}

async function fillApis(copy: Copy, like: Templates) {
  const count = sizes.apis;
  const apiId = "'api-' || i";
  const path = `'/' || ${wordOf('i')} || '/v' || i`;
  const definition = `replace(replace(t.definition, '/template', ${path}), '${like.api}', ${apiId})`;
  const owned = {
    reference: apiId,
    member: `case when i <= ${annsOwn} then '${like.user}' else t.member end`,
  };
  const visibility = `case when i % 2 = 0 and i > ${annsOwn} then 'PUBLIC' else 'PRIVATE' end`;
  const named = { name, name_key: name };
  await copy('api', { of: { id: like.api }, count, set: { id: apiId, ...named, visibility, definition } });
  const text = `${name} || chr10 || 'number ' || i || chr10 || 'label-' || (i % 100)`.replaceAll(
    'chr10',
    "'\n'",
  );
  await copy('api_search', { of: { api_id: like.api }, count, set: { api_id: apiId, text } });
  await copy('api_path', { of: { api_id: like.api }, count, set: { api_id: apiId, path: `${path} || '/'` } });
  for (const kind of ['tag', 'label', 'category']) {
    const word = `'${kind}-' || (i % 40)`;
    await copy('api_word', { of: { api_id: like.api, kind }, count, set: { api_id: apiId, word } });
  }
  await copy('membership', {
    of: { scope: 'api', reference: like.api, role: 'PRIMARY_OWNER' },
    count,
    set: owned,
  });
  await copy('plan', { of: { id: like.plan }, count, set: { id: "'plan-' || i", api_id: apiId } });
  const deployment = { of: { api_id: like.api }, set: { api_id: apiId, number: '1', definition } };
  await copy('api_deployment', { ...deployment, count });
  await copy('api_deployment', {
    ...deployment,
    first: 2,
    count: sizes.deploymentsOfOne,
    set: { api_id: "'api-1'", number: 'i', created_at_ms: 't.created_at_ms + i' },
  });
  await copy('api_page', { of: { id: like.page }, count, set: { id: "'page-' || i", api_id: apiId } });
  const page = { id: "'page-of-one-' || i", api_id: "'api-1'", name, position: 'i' };
  await copy('api_page', { of: { id: like.page }, count: sizes.pagesOfOne, set: page });
  const pageOfPortal = { id: "'portal-page-' || i", name, position: 'i' };
  await copy('api_page', { of: { id: like.portalPage }, count: sizes.portalPages, set: pageOfPortal });
  await copy('membership', {
    of: { scope: 'api', reference: like.api },
    count: sizes.membersOfOne,
    set: { reference: "'api-1'", role: "'USER'", member: "'user-' || i" },
  });
  await copy('user_group_object', {
    of: { scope: 'api', reference: like.api },
    count: count / 2,
    set: { reference: apiId, group_id: "'group-1'" },
  });
}

async function fillApplications(copy: Copy, like: Templates) {
  const count = sizes.applications;
  const id = "'app-' || i";
  const status = "case when i % 20 = 0 then 'ARCHIVED' else 'ACTIVE' end";
  await copy('application', {
    of: { id: like.application },
    count,
    set: {
      id,
      name,
      name_key: name,
      status,
      api_key_mode: "case when i = 2 then 'SHARED' else t.api_key_mode end",
    },
  });
  await copy('membership', {
    of: { scope: 'application', reference: like.application },
    count,
    set: { reference: id, member: `case when i <= ${annsOwn} then '${like.user}' else t.member end` },
  });
  const number = `(case when i <= ${sizes.subscriptionsOfOne} then 1 else i % ${sizes.apis} + 1 end)`;
  const ofApi = { api_id: `'api-' || ${number}` };
  const application_id = `'app-' || (case when i % 20 = 0 then 1 else i * 7919 % ${count} + 1 end)`;
  const all = { count: sizes.subscriptions };
  await copy('subscription', {
    ...all,
    of: { id: like.subscription },
    set: {
      ...ofApi,
      id: "'sub-' || i",
      plan_id: `'plan-' || ${number}`,
      application_id,
      status: "case when i % 50 = 0 then 'PENDING' when i % 10 = 3 then 'CLOSED' else 'ACCEPTED' end",
      created_at_ms: `t.created_at_ms + i * 7919 % ${sizes.subscriptions}`,
    },
  });
  const subscription = "'sub-' || i";
  await copy('api_key', {
    ...all,
    of: { id: like.key },
    set: { id: "'key-' || i", hash, application_id, exclusive_to: subscription },
  });
  await copy('api_key_subscription', {
    ...all,
    of: { key_id: like.key },
    set: { ...ofApi, record_id: "'key-' || i", key_id: "'key-' || i", subscription_id: subscription },
  });
}

async function fillRest(copy: Copy, { environment }: EnvironmentRef, like: Templates) {
  const count = sizes.some;
  const named = { name, name_key: name };
  const key = "'key-' || i";
  for (const [scope, reference, one] of [
    ['api', like.api, "'api-1'"],
    ['application', like.application, "'app-1'"],
    ['environment', environment, 't.reference'],
  ] as const)
    await copy('metadata', { of: { scope, reference }, count, set: { reference: one, key, name } });
  for (const [reference_type, id, one] of [
    ['API', like.api, "'api-1'"],
    ['APPLICATION', like.application, "'app-1'"],
  ] as const)
    await copy('notification_setting', {
      of: { reference_type, reference_id: id },
      count,
      set: { id: `'${one.slice(1, 4)}-setting-' || i`, reference_id: one, user_id: "'user-' || i" },
    });
  const set = { id: "'one-' || i" };
  await copy('category', { of: { id: like.category }, count, set: { ...set, key, name, position: 'i' } });
  await copy('dashboard', { of: { id: like.dashboard }, count, set: { ...set, ...named } });
  await copy('dictionary', { of: { id: like.dictionary }, count, set: { ...set, ...named, key } });
  await copy('shared_policy_group', {
    of: { id: like.policyGroup },
    count,
    set: { ...set, ...named, cross_id: "'cross-' || i" },
  });
  await copy('shared_policy_group_version', {
    of: { group_id: like.policyGroup },
    first: 2,
    count,
    set: { version: 'i' },
  });
  await copy('entrypoint', {
    of: { id: like.entrypoint },
    count,
    set: { ...set, tags: `'["tag-' || i || '"]'` },
  });
  await copy('fleet', { of: { id: like.fleet }, count: sizes.fleets, set: { ...set, name } });
  await copy('enrolment_token', { of: { fleet: like.fleet }, count, set });
}

async function fillAudit(trx: Trx, { organization }: EnvironmentRef) {
  const { seq } = await trx
    .selectFrom('audit_head')
    .select('seq')
    .where('organization', '=', organization)
    .executeTakeFirstOrThrow();
  await copyRows(trx, 'audit', {
    of: { organization, event: 'SUBSCRIPTION_CREATED' },
    first: Number(seq) + 1,
    count: sizes.audits,
    set: {
      id: "'audit-' || i",
      seq: 'i',
      reference_id: `'api-' || (case when i % 100 = 0 then 1 else i % ${sizes.apis} + 1 end)`,
      event:
        "case i % 4 when 0 then 'API_UPDATED' when 1 then 'API_DEPLOYED' else 'SUBSCRIPTION_CREATED' end",
      user_id: `case when i % 100 = 0 then 'user-' || (i % ${sizes.users} + 1) else t.user_id end`,
      created_at_ms: 't.created_at_ms + i * 1000',
      hash: "'hash-' || i",
      patch: `'[{"op":"replace","path":"/name","value":"' || i || '"}]'`,
    },
  });
  await trx
    .updateTable('audit_head')
    .set({ seq: Number(seq) + sizes.audits })
    .where('organization', '=', organization)
    .execute();
}
