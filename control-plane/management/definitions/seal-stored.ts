import { fingerprintOf, secretFields } from '../../../proto/model/secrets/fields.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { hasOpenSecrets } from '../../publish/definition-secrets.ts';
import { flowsOwner } from '../../publish/organization-flows.ts';
import {
  environmentsOf,
  hasSealed,
  noteSealed,
  rewriteFlows,
  sealRecords,
} from '../../publish/sealed-history.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { readBehind } from '../../storage/read-page.ts';
import { apiOwner } from '../apis/api-gate.ts';
import { lockApi } from '../apis/apis.store.ts';
import { type Change, change, changeOrganization, type Desk } from '../desk.ts';
import { accessesAfter } from '../documentation/documentation.store.ts';
import { isOpenSource, sealSource } from '../documentation/page-source.ts';
import { groupOwner } from '../shared-policy-groups/shared-policy-groups.ts';
import {
  apiIdsAfter,
  definitionsOfApi,
  groupsOf,
  rewriteDefinition,
  rewriteSteps,
} from './seal-stored.store.ts';

/**
 * Seals what lies open in a database of a version before these fields were secrets: drafts, plans, imports, deployments, groups, flows, sources
 * of pages, and everything that was published, of which what is in force is published again.
 *
 * It runs once for each set of secret fields, before the management API listens. What cannot be sealed is logged and does not keep a control
 * plane from starting; it is then tried again at the next start.
 */
export async function sealStored(desk: Desk, actor: Actor, log: Log): Promise<void> {
  const { db } = desk.storage;
  const digest = fingerprintOf(secretFields);
  if (await hasSealed(db, digest)) return;
  const tally = { failed: 0 };
  const attempt = async (what: object, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      tally.failed += 1;
      log.error({ ...what, err: error }, 'secrets lie open in the database and could not be sealed');
    }
  };
  const environments = await environmentsOf(db);
  for (const organization of new Set(environments.map((at) => at.organization)))
    await attempt({ organization }, () => sealFlows(desk, actor, organization));
  for (const at of environments) {
    for await (const id of readBehind((after) => apiIdsAfter(db, at, after), String))
      await attempt({ ...at, api: id }, () => sealApi(desk, actor, { at, id }));
    await attempt(at, () => change(desk, { actor, at }, sealGroups));
    const pages = readBehind(
      (after) => accessesAfter(db, at, after),
      ({ id }) => id,
    );
    for await (const page of pages)
      if (isOpenSource(page))
        await attempt({ ...at, page: page.id }, () =>
          change(desk, { actor, at }, (now) => sealSource(now, page)),
        );
    await attempt(at, () => sealPublished(desk, actor, at));
  }
  if (tally.failed === 0) await noteSealed(db, digest, desk.clock.now());
}

async function sealApi(
  desk: Desk,
  actor: Actor,
  { at, id }: { readonly at: EnvironmentRef; readonly id: string },
): Promise<void> {
  const isOpen = (await definitionsOfApi(desk.storage.db, at, id)).some(({ definition }) =>
    hasOpenSecrets(partsOf(definition)),
  );
  if (!isOpen) return;
  await change(desk, { actor, at }, async (now) => {
    await lockApi(now.trx, at, id);
    for (const row of await definitionsOfApi(now.trx, at, id)) {
      const parts = partsOf(row.definition);
      // What looks like a mask and is kept already stays.
      const sealed = await now.secrets.seal(parts, apiOwner(id), parts);
      await rewriteDefinition(now.trx, at, { ...row, definition: JSON.stringify(wholeOf(sealed)) });
    }
  });
}

/** An import is kept as an API and its plans side by side. */
export function partsOf(text: string): Readonly<Record<string, unknown>> {
  const { api, ...rest } = JSON.parse(text) as { readonly api?: object };
  return api === undefined ? rest : { ...api, ...rest, [importMark]: Object.keys(api) };
}

const importMark = 'isthmus:imported';

/** The text that {@link partsOf} took apart, as a value. */
export function wholeOf(parts: Readonly<Record<string, unknown>>): object {
  const { [importMark]: names, ...rest } = parts;
  if (!Array.isArray(names)) return rest;
  const isOfApi = new Set<unknown>(names);
  const entries = Object.entries(rest);
  return {
    api: Object.fromEntries(entries.filter(([name]) => isOfApi.has(name))),
    ...Object.fromEntries(entries.filter(([name]) => !isOfApi.has(name))),
  };
}

async function sealGroups(now: Change): Promise<void> {
  for (const { cross_id, steps } of await groupsOf(now.trx, now.at)) {
    const kept = { steps: JSON.parse(steps) as unknown };
    if (!hasOpenSecrets(kept)) continue;
    const sealed = await now.secrets.seal(kept, groupOwner(cross_id), kept);
    await rewriteSteps(now.trx, now.at, { cross_id, steps: JSON.stringify(sealed.steps) });
  }
}

async function sealFlows(desk: Desk, actor: Actor, organization: string): Promise<void> {
  await changeOrganization(desk, { actor, organization }, async (now) => {
    const row = await lockOrganization(now.trx, organization);
    const kept = { flows: JSON.parse(row?.flows ?? '[]') as unknown };
    if (!hasOpenSecrets(kept)) return;
    const { flows } = await now.secretsIn('').seal(kept, flowsOwner(organization), kept);
    await rewriteFlows(now.trx, organization, JSON.stringify(flows));
  });
}

async function sealPublished(desk: Desk, actor: Actor, at: EnvironmentRef): Promise<void> {
  for (let seq: number | undefined = 0; seq !== undefined;) {
    const afterSeq: number = seq;
    seq = await change(desk, { actor, at }, (now) => sealRecords(now, afterSeq));
  }
}
