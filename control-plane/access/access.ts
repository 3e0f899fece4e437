import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../proto/process/clock.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { isUniqueViolation, type Storage, type Trx } from '../storage/storage.ts';
import {
  deleteSession,
  findSessionUser,
  findTokenUser,
  findUser,
  insertSession,
  insertUser,
  touchToken,
  type UserRow,
} from './access.store.ts';
import type { Actor, HeldRole } from './actor.ts';
import { addMembership, objectRoles, tenantRoles } from './memberships.store.ts';
import type { Scope } from './permissions.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import type { ThrottleLimits } from './throttle.ts';

/** What a request presents, and where it comes from. */
export interface Credentials {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The session cookie's value. */
  readonly cookie: string | undefined;
  /** The client's address. */
  readonly source: string;
  /** The organization whose user names count for basic authentication. */
  readonly organization: string | undefined;
}

/** Who stands at the door. `refused` presented something that is not right; `anonymous` presented nothing. */
export type SignIn =
  | { readonly kind: 'actor'; readonly actor: Actor; readonly via: 'basic' | 'bearer' | 'cookie' }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number };

/** A session that was just opened: the token goes into the cookie and is kept nowhere else. */
export interface OpenedSession {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Who may come in. */
export interface Access {
  authenticate(credentials: Credentials): Promise<SignIn>;
  openSession(actor: Actor): Promise<OpenedSession>;
  closeSession(token: string): Promise<void>;
  /** The actor with what is held on those objects too. */
  withObjects(
    actor: Actor,
    objects: readonly { readonly scope: Scope; readonly reference: string }[],
  ): Promise<Actor>;
  /** The hash of a new password, made before a transaction is opened: it takes 25 ms. Errors: request.too_many when too many are hashed. */
  hashPassword(password: string): Promise<string>;
  /** Makes a user with that role in the organization and its environments. Errors: request.conflict when the name is taken. */
  createUser(trx: Trx, user: NewUser): Promise<Actor>;
}

/** A user to be made. */
export interface NewUser {
  readonly organization: string;
  readonly username: string;
  readonly passwordHash: string;
  readonly displayName: string;
  readonly email?: string | undefined;
  readonly role: 'ADMIN' | 'USER';
}

/** What access needs; limits only for tests. */
export interface AccessOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly sessionMs?: number;
  readonly throttle?: ThrottleLimits;
}

const sessionPrefix = 'ists_';
const tokenPrefix = 'istp_';
// A script that sends basic credentials with every call must not cost 25 ms of hashing each.
const rememberedMax = 1_000;
const rememberedMs = 300_000;
const tokenTouchMs = 60_000;

/** Makes the access of this process. */
export function createAccess(options: AccessOptions): Access {
  const { storage, clock } = options;
  const attempts = createAttempts(clock, { throttle: options.throttle });
  const basic = createBasic(options, attempts);
  const sessionMs = options.sessionMs ?? 7 * 24 * 3_600_000;

  const admit = async (user: UserRow, via: 'basic' | 'bearer' | 'cookie'): Promise<SignIn> => {
    const roles = await tenantRoles(storage.db, user.organization, user.id);
    return { kind: 'actor', actor: actorOf(user, roles), via };
  };
  const bearer = async (token: string, via: 'bearer' | 'cookie'): Promise<SignIn> => {
    const hash = secretHash(token);
    if (token.startsWith(sessionPrefix)) {
      const user = await findSessionUser(storage.db, hash, clock.now());
      return user === undefined ? { kind: 'refused' } : admit(user, via);
    }
    if (via === 'cookie' || !token.startsWith(tokenPrefix)) return { kind: 'refused' };
    const found = await findTokenUser(storage.db, hash, clock.now());
    if (found === undefined) return { kind: 'refused' };
    if (clock.now() - (found.token.last_use_at_ms ?? 0) > tokenTouchMs)
      await touchToken(storage.db, found.token.id, clock.now());
    return narrowed(await admit(found.user, via), found.token.scopes);
  };

  return {
    async authenticate({ authorization, cookie, source, organization }) {
      // RFC 9110 section 11.4: one or more blanks after the scheme.
      const [scheme = '', value = ''] = (authorization ?? '').split(/ +/, 2);
      // An empty Authorization counts as none; browsers and proxies send it.
      if (scheme !== '') {
        if (/^bearer$/i.test(scheme)) return bearer(value, 'bearer');
        if (!/^basic$/i.test(scheme)) return { kind: 'refused' };
        if (organization === undefined) return { kind: 'refused' };
        const known = await basic(value, { organization, source });
        return known.kind === 'user' ? admit(known.user, 'basic') : known;
      }
      return cookie === undefined || cookie === '' ? { kind: 'anonymous' } : bearer(cookie, 'cookie');
    },
    async openSession(actor) {
      const token = newSecret(sessionPrefix);
      const user = await findUser(storage.db, actor.organization, actor.username);
      if (user === undefined) throw new Fault('request.unauthorized');
      const expiresAtMs = clock.now() + sessionMs;
      await insertSession(storage.db, {
        tokenHash: secretHash(token),
        user,
        nowMs: clock.now(),
        expiresAtMs,
      });
      return { token, expiresAtMs };
    },
    async withObjects(actor, objects) {
      const who = { organization: actor.organization, user: actor.id };
      const held = await objectRoles(storage.db, who, objects);
      return held.length === 0 ? actor : { ...actor, roles: [...actor.roles, ...held] };
    },
    closeSession: (token) => deleteSession(storage.db, secretHash(token)),
    async hashPassword(password) {
      const hash = await attempts.hash(password);
      if (hash === undefined) throw new Fault('request.too_many');
      return hash;
    },
    async createUser(trx, user) {
      const row = userRow(user, clock.now());
      try {
        await insertUser(trx, row);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new Fault('request.conflict', { detail: `There is a user "${user.username}" already.` });
      }
      return actorOf(row, await giveFirstRoles(trx, row, user.role));
    },
  };
}

/** The actor with the scopes of the token, a JSON list; null narrows nothing. */
function narrowed(signIn: SignIn, scopes: string | null): SignIn {
  if (scopes === null || signIn.kind !== 'actor') return signIn;
  return { ...signIn, actor: { ...signIn.actor, scopes: JSON.parse(scopes) as readonly string[] } };
}

/** Makes a secret of 256 bits for a personal token; only its hash is to be kept. */
export function newPersonalToken(): { readonly token: string; readonly hash: string } {
  const token = newSecret(tokenPrefix);
  return { token, hash: secretHash(token) };
}

/** The value that a page of ours must send as X-Xsrf-Token; another site cannot know it, since it cannot read the cookie. */
export function csrfTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('csrf').digest('base64url');
}

/** Compares in constant time. */
export function isCsrfToken(sessionToken: string, presented: string | undefined): boolean {
  const expected = Buffer.from(csrfTokenOf(sessionToken));
  const given = Buffer.from(presented ?? '');
  return expected.length === given.length && timingSafeEqual(expected, given);
}

type BasicCheck = (
  value: string,
  at: { readonly organization: string; readonly source: string },
) => Promise<{ readonly kind: 'user'; readonly user: UserRow } | Exclude<SignIn, { kind: 'actor' }>>;

function createBasic({ storage }: AccessOptions, attempts: Attempts): BasicCheck {
  const remembered = new LRUCache<string, string>({ max: rememberedMax, ttl: rememberedMs });
  const rememberKey = randomBytes(32);

  return async (value, { organization, source }) => {
    const text = Buffer.from(value, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const username = text.slice(0, colon);
    // NUL is legal in UTF-8 but not in PostgreSQL's text.
    if (colon < 1 || text.length > 1_024 || text.includes('\0')) return { kind: 'refused' };
    const user = await findUser(storage.db, organization, username);
    const proof = createHmac('sha256', rememberKey).update(`${organization}\0${text}`).digest('base64');
    if (user !== undefined && remembered.get(proof) === user.password_hash) return { kind: 'user', user };

    const outcome = await attempts.judge({
      account: `${organization}\0${username}`,
      source,
      password: text.slice(colon + 1),
      stored: user?.password_hash,
    });
    if (typeof outcome === 'object') return { kind: 'throttled', ...outcome };
    if (outcome === 'wrong' || user === undefined) return { kind: 'refused' };
    remembered.set(proof, user.password_hash);
    return { kind: 'user', user };
  };
}

function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url');
}

function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function userRow(user: NewUser, nowMs: number): UserRow {
  return {
    id: randomUUID(),
    organization: user.organization,
    username: user.username,
    password_hash: user.passwordHash,
    display_name: user.displayName,
    email: user.email ?? null,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

/** A new user is ADMIN or USER of the organization and of the environments that it has now. */
async function giveFirstRoles(trx: Trx, user: UserRow, name: 'ADMIN' | 'USER'): Promise<readonly HeldRole[]> {
  const environments = await trx
    .selectFrom('environment')
    .select('id')
    .where('organization', '=', user.organization)
    .execute();
  const roles: HeldRole[] = [
    { scope: 'organization', reference: user.organization, name },
    ...environments.map(({ id }) => ({ scope: 'environment' as const, reference: id, name })),
  ];
  const of = { organization: user.organization, user: user.id, nowMs: user.created_at_ms };
  for (const role of roles) await addMembership(trx, { ...of, ...role });
  return roles;
}

/** The user as somebody who asks. */
export function actorOf(user: UserRow, roles: readonly HeldRole[]): Actor {
  return {
    id: user.id,
    organization: user.organization,
    username: user.username,
    displayName: user.display_name,
    roles,
  };
}
