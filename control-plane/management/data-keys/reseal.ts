import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { flowsOwner } from '../../publish/organization-flows.ts';
import { resealRecords, rewriteFlows } from '../../publish/sealed-history.ts';
import { lockProvider, updateProvider } from '../../access/identity/identity.store.ts';
import { lockSecondFactor, putSecondFactor } from '../../access/second-factor/second-factor.store.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { HeldLease } from '../../storage/leases.ts';
import { readBehind } from '../../storage/read-page.ts';
import { apiOwner } from '../apis/api-gate.ts';
import { lockApi } from '../apis/apis.store.ts';
import { partsOf, wholeOf } from '../definitions/seal-stored.ts';
import { definitionsOfApi, rewriteDefinition, rewriteSteps } from '../definitions/seal-stored.store.ts';
import { type Change, change, changeOrganization, type Desk } from '../desk.ts';
import { lockDictionary } from '../dictionaries/dictionaries.store.ts';
import { resealSource } from '../documentation/page-source.ts';
import { resealDraft } from '../drafts/drafts.ts';
import { secretPlace } from '../identity-providers/identity-providers.ts';
import { factorPlace } from '../second-factor/second-factor.ts';
import { groupOwner } from '../shared-policy-groups/shared-policy-groups.ts';
import { lockGroup } from '../shared-policy-groups/shared-policy-groups.store.ts';
import {
  apisHolding,
  bytesHold,
  dictionariesHolding,
  factorsHolding,
  groupsHolding,
  pagesHolding,
  type Needle,
  providersHolding,
  rewriteProvider,
} from './reseal.store.ts';

/** Who reseals, where, and what: everything that the needle finds. */
export interface Resealing {
  readonly desk: Desk;
  readonly actor: Actor;
  readonly at: EnvironmentRef;
  readonly lease: HeldLease;
  readonly needle: Needle;
  /** Called after each transaction, with the texts that it wrote. */
  readonly onStep: (texts: number) => void;
}

/**
 * Seals by the newest key what older ones sealed, an API, a group, a dictionary, a page or a hundred records in a transaction; what is in force is
 * published again. Nobody's moments of change move. What does not open stays. Says how many texts were written.
 */
export async function resealStored(parts: Resealing): Promise<number> {
  const { desk, at, needle } = parts;
  const { db } = desk.storage;
  if (at.environment === '') {
    const flows = await resealFlows(parts);
    return flows + (await resealProviders(parts)) + (await resealFactors(parts));
  }
  let texts = 0;
  const apis = readBehind((after) => apisHolding(db, at, { needle, after }), String);
  for await (const id of apis) texts += await step(parts, (now) => resealApi(now, id));
  for (const crossId of await groupsHolding(db, at, needle))
    texts += await step(parts, (now) => resealGroup(now, crossId));
  for (const id of await dictionariesHolding(db, at, needle))
    texts += await step(parts, (now) => resealDictionary(now, id));
  const pages = readBehind(
    (after) => pagesHolding(db, at, { needle, after }),
    ({ id }) => id,
  );
  for await (const page of pages) texts += await step(parts, (now) => resealSource(now, page));
  for (let seq: number | undefined = 0; seq !== undefined;) {
    const afterSeq: number = seq;
    texts += await step(parts, async (now) => {
      const holding = (column: string) => bytesHold(needle, column);
      const { lastSeq, rewritten } = await resealRecords(now, { afterSeq, holding });
      seq = lastSeq;
      return rewritten;
    });
  }
  return texts;
}

async function step(
  { desk, actor, at, lease, onStep }: Resealing,
  work: (now: Change) => Promise<number>,
): Promise<number> {
  const texts = await change(desk, { actor, at }, async (now) => {
    await lease.keep(now.trx);
    return work(now);
  });
  onStep(texts);
  return texts;
}

async function resealApi(now: Change, id: string): Promise<number> {
  const { trx, at, secrets } = now;
  const before = await lockApi(trx, at, id);
  if (before === undefined) return 0;
  let texts = 0;
  // The API itself first: the same secret of a deployment gets the same text, so that both stay in step.
  for (const row of await definitionsOfApi(trx, at, id)) {
    const parts = partsOf(row.definition);
    const { definition } = await secrets.reseal(parts, apiOwner(id));
    if (definition === parts) continue;
    await rewriteDefinition(trx, at, { ...row, definition: JSON.stringify(wholeOf(definition)) });
    texts += 1;
  }
  return texts + (await resealDraft(now, before));
}

async function resealGroup({ trx, at, secrets }: Change, crossId: string): Promise<number> {
  const row = await lockGroup(trx, at, { column: 'cross_id', value: crossId });
  if (row === undefined) return 0;
  const kept = { steps: JSON.parse(row.steps) as unknown };
  const { definition } = await secrets.reseal(kept, groupOwner(crossId));
  if (definition === kept) return 0;
  await rewriteSteps(trx, at, { cross_id: crossId, steps: JSON.stringify(definition.steps) });
  return 1;
}

async function resealDictionary({ trx, at, secrets }: Change, id: string): Promise<number> {
  const row = await lockDictionary(trx, at, id);
  if (row === undefined || row.provider === null) return 0;
  const kept = { provider: JSON.parse(row.provider) as unknown };
  const { definition } = await secrets.reseal(kept, { kind: 'dictionary', id });
  if (definition === kept) return 0;
  await rewriteProvider(trx, at, { id, provider: JSON.stringify(definition.provider) });
  return 1;
}

async function resealProviders(parts: Resealing): Promise<number> {
  const { desk, actor, at, lease, needle, onStep } = parts;
  const { organization } = at;
  const ids = await providersHolding(desk.storage.db, organization, needle);
  for (const id of ids) {
    await changeOrganization(desk, { actor, organization }, async (now) => {
      await lease.keep(now.trx);
      const row = await lockProvider(now.trx, { organization, id });
      if (row === undefined) return;
      const secret = await now.secretsIn('').resealWhole(row.client_secret, secretPlace(id));
      await updateProvider(now.trx, { ...row, client_secret: secret });
    });
    onStep(1);
  }
  return ids.length;
}

async function resealFactors(parts: Resealing): Promise<number> {
  const { desk, actor, at, lease, needle, onStep } = parts;
  const { organization } = at;
  const ids = await factorsHolding(desk.storage.db, organization, needle);
  for (const userId of ids) {
    await changeOrganization(desk, { actor, organization }, async (now) => {
      await lease.keep(now.trx);
      const row = await lockSecondFactor(now.trx, { organization, userId });
      if (row === undefined) return;
      const secret = await now.secretsIn('').resealWhole(row.secret, factorPlace(userId));
      await putSecondFactor(now.trx, { ...row, secret });
    });
    onStep(1);
  }
  return ids.length;
}

async function resealFlows({ desk, actor, at: { organization }, lease, onStep }: Resealing): Promise<number> {
  const texts = await changeOrganization(desk, { actor, organization }, async (now) => {
    await lease.keep(now.trx);
    const row = await lockOrganization(now.trx, organization);
    const kept = { flows: JSON.parse(row?.flows ?? '[]') as unknown };
    const { definition } = await now.secretsIn('').reseal(kept, flowsOwner(organization));
    if (definition === kept) return 0;
    await rewriteFlows(now.trx, organization, JSON.stringify(definition.flows));
    return 1;
  });
  onStep(texts);
  return texts;
}
