import { createHash, randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { parseJson } from '../../../proto/process/json-text.ts';
import type { Actor } from '../../access/actor.ts';
import { DefinitionSecrets } from '../../publish/definition-secrets.ts';
import type { Storage, Trx } from '../../storage/storage.ts';
import type { Desk } from '../desk.ts';
import type { RouteAnswer } from '../route.ts';
import {
  countAfterPurge,
  deleteUndone,
  findRepeat,
  insertRepeat,
  type RepeatRef,
  type RepeatRow,
  updateClaimed,
} from './repeats.store.ts';

/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a change that its client names is done once, however often it is sent, to
 * whichever control plane.
 *
 * A row claims the key. The transaction of the change marks the row as done, and fails where another attempt has taken the claim, so that the
 * change and the word that it was made commit together. What the operation made in it is kept as its answer at once where it is one by the
 * route's schema; what the client got is kept behind it. Who is killed between the two leaves the first, or a change whose answer nobody knows:
 * whoever repeats it is told so, and nothing is done again. A request that changed nothing is answered anew. What is committed beside the change
 * (`desk.aside`) is no part of it.
 *
 * Answers may hold keys and tokens that are shown once, so they lie sealed by the organization's data key. One that does not open any more,
 * because that key was rolled since, is an answer that is not kept.
 */

/** How long a key stands for its answer. */
export const repeatsKeptMs = 24 * 3_600_000;
/** Keys of one user that stand for something at a time. */
export const repeatsMax = 5_000;
/** Characters of an answer that is kept. */
const answerCharsMax = 131_072;
/** So long nobody else carries a request out; a transaction that takes longer than all of it fails. */
const claimedMs = 60_000;

/** Keys as clients send them, in quotes or not. */
export const repeatKeySchema = z
  .string()
  .regex(/^"?[\x21\x23-\x5b\x5d-\x7e]{1,255}"?$/, 'must be 1 to 255 visible characters, e.g. a UUID')
  .transform((text) => text.replaceAll('"', ''));

/** A request that has a key. */
export interface Repeatable {
  readonly desk: Desk;
  readonly actor: Actor;
  readonly key: string;
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  /** The answer that a route would give out of what a transaction made; undefined where that is no answer. */
  readonly answerOf: (made: unknown) => RouteAnswer | undefined;
}

/**
 * Carries a request out, or gives the answer that it got when it was.
 *
 * Errors: idempotency.key_reused, idempotency.in_progress, idempotency.answer_lost, idempotency.too_many; those of the request.
 */
export async function onlyOnce(
  request: Repeatable,
  carryOut: (desk: Desk) => Promise<RouteAnswer>,
): Promise<RouteAnswer> {
  const { desk } = request;
  const ref = refOf(request);
  const claimed = await claim(request, ref);
  if (claimed.kind === 'answered') return claimed.answer;
  const mine = { ...ref, claim: claimed.claim };
  const secrets = (trx: Trx) => secretsOf(desk, ref, trx);
  let kept: string | undefined;
  let isDone = false;
  const storage: Storage = {
    ...desk.storage,
    transaction: (work) =>
      desk.storage.transaction(async (trx) => {
        const made = await work(trx);
        kept = textOf(request.answerOf(made));
        const answer = kept === undefined ? null : await secrets(trx).sealWhole(kept, placeOf(ref));
        if (!(await updateClaimed(trx, mine, { is_done: 1, answer })))
          throw new Fault('idempotency.in_progress', { internal: 'another attempt has taken the claim' });
        isDone = true;
        return made;
      }),
  };
  try {
    const answer = await carryOut({ ...desk, storage, aside: desk.storage });
    const text = textOf(answer);
    if (isDone && text !== undefined && text !== kept)
      await desk.storage.transaction(async (trx) => {
        await updateClaimed(trx, mine, { answer: await secrets(trx).sealWhole(text, placeOf(ref)) });
      });
    return answer;
  } finally {
    if (!isDone) await deleteUndone(desk.storage.db, mine);
  }
}

type Claimed =
  | { readonly kind: 'claimed'; readonly claim: string }
  | { readonly kind: 'answered'; readonly answer: RouteAnswer };

function claim(request: Repeatable, ref: RepeatRef): Promise<Claimed> {
  const { desk } = request;
  return desk.storage.transaction(async (trx) => {
    const nowMs = desk.clock.now();
    const row = {
      ...ref,
      request_hash: hashOf(request),
      claim: randomUUID(),
      claimed_until_ms: nowMs + claimedMs,
      is_done: 0,
      answer: null,
      expires_at_ms: nowMs + repeatsKeptMs,
    };
    // What has ended goes first, this very key perhaps.
    const count = await countAfterPurge(trx, ref, nowMs);
    if (count < repeatsMax && (await insertRepeat(trx, row))) return { kind: 'claimed', claim: row.claim };
    const before = await findRepeat(trx, ref);
    if (before === undefined) throw new Fault('idempotency.too_many');
    if (before.request_hash !== row.request_hash) throw new Fault('idempotency.key_reused');
    if (Number(before.is_done) === 1)
      return { kind: 'answered', answer: await answerOf(secretsOf(desk, ref, trx), ref, before) };
    const { claim: mine, claimed_until_ms } = row;
    const isFree = Number(before.claimed_until_ms) <= nowMs;
    if (isFree && (await updateClaimed(trx, before, { claim: mine, claimed_until_ms })))
      return { kind: 'claimed', claim: mine };
    throw new Fault('idempotency.in_progress');
  });
}

async function answerOf(
  secrets: DefinitionSecrets,
  ref: RepeatRef,
  { answer }: RepeatRow,
): Promise<RouteAnswer> {
  if (answer === null) throw new Fault('idempotency.answer_lost');
  let text: string;
  try {
    text = await secrets.openWhole(answer, placeOf(ref));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('idempotency.answer_lost', { cause: error });
  }
  const { headers, ...kept } = parseJson(text) as RouteAnswer;
  return { ...kept, headers: { ...headers, 'Idempotent-Replayed': 'true' } };
}

/** Undefined for what is not kept. */
function textOf(answer: RouteAnswer | undefined): string | undefined {
  if (answer === undefined || answer.content !== undefined) return undefined;
  const text = JSON.stringify(answer);
  return text.length > answerCharsMax ? undefined : text;
}

/** Keys of two users are two keys; the key itself is not kept. */
const refOf = ({ actor, key }: Repeatable): RepeatRef => ({
  organization: actor.organization,
  user_id: actor.id,
  key_hash: sha256(key),
});

function hashOf({ actor, key, method, url, body }: Repeatable): string {
  const { pathname, search } = new URL(url);
  const sent = body instanceof Uint8Array ? sha256(body) : (JSON.stringify(body) ?? '');
  // An answer shows what the credential opens that asked: one that is narrowed otherwise asks for something else.
  const narrowed = actor.scopes === undefined ? [] : [actor.scopes.toSorted()];
  // With the key in it, nobody who reads the database can try bodies that he thinks of without it.
  return sha256(JSON.stringify([key, method, pathname + search, sent, ...narrowed]));
}

const sha256 = (value: string | Uint8Array): string => createHash('sha256').update(value).digest('hex');

const placeOf = (ref: RepeatRef) =>
  ({ kind: 'idempotency-key', id: `${ref.user_id}/${ref.key_hash}`, field: 'answer' }) as const;

function secretsOf({ publisher }: Desk, { organization }: RepeatRef, trx: Trx): DefinitionSecrets {
  // No gateway holds what an organization keeps itself, so nobody has to learn of its first key.
  const onMade = async (): Promise<void> => undefined;
  return new DefinitionSecrets({
    trx,
    at: { organization, environment: '' },
    dataKeys: publisher.dataKeys,
    onMade,
  });
}
