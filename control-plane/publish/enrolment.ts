import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import { isSuccession } from '../../proto/trust/succession.ts';
import { createEnrolmentToken, readEnrolmentToken } from '../../proto/trust/tokens.ts';
import type { EnrolmentRequest, GatewayIdentity, Grant } from '../../proto/wire/published.ts';
import { keptText } from '../storage/kept-text.ts';
import { databaseNowMs, readNow } from '../storage/leases.ts';
import type { Queries, Storage, Trx } from '../storage/storage.ts';
import { findGateway, grantOf } from './gateways.ts';
import type { OpenKey } from './keys.ts';

const rawKeyBytes = 32;

/** A token as the console lists it; the token itself was shown once. */
export interface EnrolmentToken {
  readonly id: string;
  readonly fleet: string;
  readonly expiresAtMs: number;
  /** undefined: as often as wanted. */
  readonly usesMax: number | undefined;
  readonly uses: number;
  readonly isRevoked: boolean;
  readonly createdBy: string;
  readonly createdAtMs: number;
}

/** What a new token should allow. */
export interface EnrolmentTokenWish {
  readonly fleet: string;
  /** URL of the bridge that gateways will dial. */
  readonly bridge: string;
  readonly expiresAtMs: number;
  /** How many gateways it may let in; absent: any number until it expires. */
  readonly usesMax?: number | undefined;
  readonly actor: string;
}

/** Writes the token's row and makes the token, signed by the organization's root. Only its secret's hash is kept. */
export async function insertToken(
  trx: Trx,
  wish: EnrolmentTokenWish & { readonly nowMs: number },
  { grant, root }: { readonly grant: Grant; readonly root: OpenKey },
): Promise<{ readonly id: string; readonly token: string }> {
  const id = randomUUID();
  const secret = randomBytes(32).toString('base64url');
  await trx
    .insertInto('enrolment_token')
    .values({
      id,
      organization: grant.organization,
      fleet: wish.fleet,
      secret_sha256: sha256(secret),
      expires_at_ms: wish.expiresAtMs,
      uses_max: wish.usesMax ?? null,
      uses: 0,
      is_revoked: 0,
      created_by: wish.actor,
      created_at_ms: wish.nowMs,
    })
    .execute();
  const payload = {
    id,
    bridge: wish.bridge,
    organization: grant.organization,
    rootKey: root.publicKey,
    grant,
    expiresAtMs: wish.expiresAtMs,
    secret,
  };
  return { id, token: createEnrolmentToken(payload, root.privateKey) };
}

/** The tokens of a fleet, newest first, without what opens the door. */
export async function listTokens(
  db: Queries,
  organization: string,
  fleet: string,
): Promise<readonly EnrolmentToken[]> {
  const rows = await db
    .selectFrom('enrolment_token')
    .selectAll()
    .where('organization', '=', organization)
    .where('fleet', '=', fleet)
    .orderBy('created_at_ms', 'desc')
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    fleet: row.fleet,
    expiresAtMs: row.expires_at_ms,
    usesMax: row.uses_max ?? undefined,
    uses: row.uses,
    isRevoked: row.is_revoked === 1,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
  }));
}

/**
 * Lets a gateway in and uses the token once, in one statement, so that two at once cannot both be the last. Whether it has expired
 * is the database's to say: a bridge whose clock is wrong neither refuses a good token nor takes an old one.
 *
 * A gateway whose answer was lost asks again with the same key and gets the same identity, without another use.
 */
export async function enrol(storage: Storage, request: EnrolmentRequest): Promise<GatewayIdentity> {
  if (request.signingKey.length !== rawKeyBytes || request.sealingKey.length !== rawKeyBytes)
    throw new Fault('trust.malformed', { detail: 'A raw public key has 32 bytes.' });
  const claimed = readEnrolmentToken(request.token);
  return storage.transaction(async (trx) => {
    const root = await trx
      .selectFrom('organization_root')
      .select('public_key')
      .where('organization', '=', claimed.organization)
      .executeTakeFirst();
    if (root === undefined) throw refusal();
    const nowMs = await readNow(trx, databaseNowMs(storage.dialect));
    const token = readEnrolmentToken(request.token, { rootKey: root.public_key, nowMs });
    await lockToken(trx, token);
    const known = await findBySigningKey(trx, token.id, request.signingKey);
    if (known !== undefined) {
      if (known.isRevoked) throw refusal();
      return known;
    }
    const previous = await provenPrevious(trx, request, token.organization);
    const fleet = await useToken(trx, token, nowMs);
    return insertGateway(trx, request, { token: token.id, fleet, nowMs, previous });
  });
}

const refusal = (): Fault =>
  new Fault('request.unauthorized', {
    detail: 'The enrolment token is unknown, used up or revoked.',
    hint: 'Make a new token on the fleet.',
  });

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

async function findBySigningKey(
  trx: Trx,
  token: string,
  signingKey: Uint8Array,
): Promise<GatewayIdentity | undefined> {
  const row = await trx
    .selectFrom('gateway')
    .select('id')
    .where('token', '=', token)
    .where('signing_key', '=', signingKey)
    .executeTakeFirst();
  return row === undefined ? undefined : findGateway(trx, row.id);
}

interface UsableToken {
  readonly id: string;
  readonly organization: string;
  readonly secret: string;
}

/** Two requests with one key wait for each other here, so that the second finds the first one's gateway. */
async function lockToken(trx: Trx, token: UsableToken): Promise<void> {
  await trx
    .updateTable('enrolment_token')
    .set((eb) => ({ uses: eb.ref('uses') }))
    .where('id', '=', token.id)
    .where('organization', '=', token.organization)
    .execute();
}

async function useToken(trx: Trx, token: UsableToken, nowMs: number) {
  const used = await trx
    .updateTable('enrolment_token')
    .set((eb) => ({ uses: eb('uses', '+', 1) }))
    .where('id', '=', token.id)
    .where('organization', '=', token.organization)
    .where('secret_sha256', '=', sha256(token.secret))
    .where('is_revoked', '=', 0)
    .where('expires_at_ms', '>=', nowMs)
    .where((eb) => eb.or([eb('uses_max', 'is', null), eb('uses', '<', eb.ref('uses_max'))]))
    .returning('fleet')
    .executeTakeFirst();
  if (used === undefined) throw refusal();
  const fleet = await trx
    .selectFrom('fleet')
    // No more than the role of a bridge may read (storage/grants.ts).
    .select(['id', 'organization', 'environments', 'tags', 'tenant'])
    .where('id', '=', used.fleet)
    .where('organization', '=', token.organization)
    .executeTakeFirst();
  if (fleet === undefined) throw refusal();
  return fleet;
}

/**
 * The gateway that this one was before, of the same organization and proven by its key; a revoked one too, since it enrols again for that.
 *
 * One that a restored database forgot has no key here: it is believed, once, where a database was restored.
 * A claim that does not hold is refused aloud: records of the former would not be taken from the new one.
 */
async function provenPrevious(
  trx: Trx,
  { previous, signingKey }: EnrolmentRequest,
  organization: string,
): Promise<string | null> {
  if (previous === undefined) return null;
  const row = await trx
    .selectFrom('gateway')
    .leftJoin('gateway as successor', 'successor.previous', 'gateway.id')
    .select(['gateway.id', 'gateway.signing_key'])
    .where('gateway.id', '=', previous.gateway)
    .where('gateway.organization', '=', organization)
    .where('successor.id', 'is', null)
    .executeTakeFirst();
  if (row === undefined && (await isForgotten(trx, previous.gateway, organization))) return previous.gateway;
  if (row === undefined || !isSuccession(previous, { previous: row.signing_key, signingKey }))
    throw new Fault('request.unauthorized', {
      detail:
        'The gateway that this one was before is unknown here, enrolled again already, or its key does not vouch for the new one.',
      hint: 'Remove identity.json and run isthmus enroll without --replace; what was not shipped yet is then refused as the records of another gateway.',
    });
  return row.id;
}

async function isForgotten(trx: Trx, gateway: string, organization: string): Promise<boolean> {
  const known = await trx
    .selectFrom('gateway')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', gateway), eb('previous', '=', gateway)]))
    .executeTakeFirst();
  // A restore raises the epoch.
  const restored = await trx
    .selectFrom('published_head')
    .select('epoch')
    .where('organization', '=', organization)
    .where('epoch', '>', 1)
    .limit(1)
    .executeTakeFirst();
  return known === undefined && restored !== undefined;
}

interface NewGateway {
  readonly token: string;
  readonly fleet: Awaited<ReturnType<typeof useToken>>;
  readonly nowMs: number;
  readonly previous: string | null;
}

async function insertGateway(
  trx: Trx,
  request: EnrolmentRequest,
  { token, fleet, nowMs, previous }: NewGateway,
): Promise<GatewayIdentity> {
  const id = randomUUID();
  await trx
    .insertInto('gateway')
    .values({
      id,
      organization: fleet.organization,
      fleet: fleet.id,
      token,
      signing_key: request.signingKey,
      sealing_key: request.sealingKey,
      hostname: keptText(request.hostname, 255),
      version: keptText(request.version, 64),
      is_revoked: 0,
      enrolled_at_ms: nowMs,
      revoked_at_ms: null,
      previous,
    })
    .execute();
  return {
    id,
    grant: grantOf(fleet),
    signingKey: request.signingKey,
    sealingKey: request.sealingKey,
    isRevoked: false,
  };
}
