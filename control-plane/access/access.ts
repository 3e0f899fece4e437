import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../proto/process/clock.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { readAuthorization } from '../../proto/trust/authorization.ts';
import { isUniqueViolation, type Queries, type Storage, type Trx } from '../storage/storage.ts';
import {
  findTokenUser,
  findUser,
  getUser,
  insertUser,
  noteConnection,
  passwordMark,
  touchToken,
  type UserRow,
} from './access.store.ts';
import type { Actor, HeldRole } from './actor.ts';
import { tellChangedRights } from './changed-rights.ts';
import { objectRoles, scopeRoles, tenantRoles } from './memberships.store.ts';
import type { Scope } from './permissions.ts';
import { giveFirstRoles, type NewUser, userRow } from './new-user.ts';
import { findSignInSettings } from './second-factor/second-factor.store.ts';
import { deleteSession, findSession, insertSession, sessionIdOf, touchSession } from './sessions.store.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import type { PasswordCost } from './passwords.ts';
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
  | {
      readonly kind: 'actor';
      readonly actor: Actor;
      readonly via: 'basic' | 'bearer' | 'cookie';
      /** Hash of the password that was judged; with basic only. */
      readonly passwordHash?: string | undefined;
    }
  | {
      /** The password is right, and does not open anything alone. */
      readonly kind: 'half';
      /** The code of a second factor, or, where the organization asks for one and he has none, that he makes one. */
      readonly wants: 'code' | 'enrolment';
      readonly actor: Actor;
      readonly passwordHash: string;
    }
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
  /** Whether passwords open anything, but for who has leave of the command line. */
  readonly allowsPasswords: boolean;
  authenticate(credentials: Credentials): Promise<SignIn>;
  /**
   * Opens one for somebody who signed in just now, with what he will recognise it by. Errors: request.unauthorized when the password that
   * he signed in with has been changed meanwhile, or he has or has not a second factor any more.
   */
  openSession(
    actor: Actor,
    by: {
      readonly source: string;
      readonly userAgent: string | undefined;
      readonly passwordHash: string | undefined;
      /** What was asked for beside the password: the session of who has to make a second factor opens nothing else. */
      readonly beside?: 'code' | 'enrolment' | undefined;
    },
  ): Promise<OpenedSession>;
  closeSession(token: string): Promise<void>;
  /** The actor with what is held on those objects too. */
  withObjects(
    actor: Actor,
    objects: readonly { readonly scope: Scope; readonly reference: string }[],
  ): Promise<Actor>;
  /** The actor with all that is held on objects of a scope. */
  withScope(actor: Actor, scope: 'api' | 'application'): Promise<Actor>;
  /** The hash of a new password, made before a transaction is opened: it takes 25 ms. Errors: request.too_many when too many are hashed. */
  hashPassword(password: string): Promise<string>;
  /** Tries a password of somebody who has signed in, counted as at the door. Errors: request.too_many. */
  isPassword(actor: Actor, password: string, source: string): Promise<boolean>;
  /** Makes a user with that role in the organization and its environments. Errors: request.conflict when the name is taken. */
  createUser(trx: Trx, user: NewUser): Promise<Actor>;
}

/** Too many wrong passwords, or too many at once; the door says when to come again. */
export class ThrottledFault extends Fault {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('request.too_many', { hint: `Try again in ${Math.ceil(retryAfterMs / 1_000)} s.` });
    this.retryAfterMs = retryAfterMs;
  }
}

/** What access needs; limits only for tests. */
export interface AccessOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly sessionMs?: number;
  readonly throttle?: ThrottleLimits;
  /** False: passwords open nothing, but for who has leave of the command line for a while. */
  readonly allowPasswords?: boolean;
  /** Of new passwords. Only for tests that make many: no setting leads here. */
  readonly passwordCost?: PasswordCost | undefined;
}

const sessionPrefix = 'ists_';
const tokenPrefix = 'istp_';
const userAgentCharactersMax = 256;
// A script that sends basic credentials with every call must not cost 25 ms of hashing each.
const rememberedMax = 1_000;
const rememberedMs = 300_000;
/** How exactly the last use of a session or token is known. */
const touchEveryMs = 60_000;

/** Makes the access of this process. */
export function createAccess(options: AccessOptions): Access {
  const { storage, clock } = options;
  const attempts = createAttempts(clock, options);
  const basic = createBasic(options, attempts);

  const admit = async (user: UserRow, via: 'basic' | 'bearer' | 'cookie'): Promise<SignIn> => {
    const roles = await tenantRoles(storage.db, user.organization, user.id);
    return { kind: 'actor', actor: actorOf(user, roles), via };
  };
  const bearer = async (token: string, via: 'bearer' | 'cookie'): Promise<SignIn> => {
    const hash = secretHash(token);
    if (token.startsWith(sessionPrefix)) {
      const found = await findSession(storage.db, hash, clock.now());
      if (found === undefined) return { kind: 'refused' };
      if (clock.now() - (found.session.last_use_at_ms ?? 0) > touchEveryMs)
        await touchSession(storage.db, hash, clock.now());
      return withActor(await admit(found.user, via), {
        session: sessionIdOf(found.session),
        ...(found.session.enrols === 1 && { isEnrolling: true }),
      });
    }
    if (via === 'cookie' || !token.startsWith(tokenPrefix)) return { kind: 'refused' };
    const found = await findTokenUser(storage.db, hash, clock.now());
    if (found === undefined) return { kind: 'refused' };
    if (clock.now() - (found.token.last_use_at_ms ?? 0) > touchEveryMs)
      await touchToken(storage.db, found.token.id, clock.now());
    const { scopes, expires_at_ms: endsMs } = found.token;
    return withActor(await admit(found.user, via), {
      // A JSON list; null narrows nothing.
      ...(scopes !== null && { scopes: JSON.parse(scopes) as readonly string[] }),
      ...(endsMs !== null && { tokenExpiresAtMs: Number(endsMs) }),
    });
  };

  return {
    allowsPasswords: options.allowPasswords ?? true,
    async authenticate({ authorization, cookie, source, organization }) {
      const said = readAuthorization(authorization);
      if (said !== undefined) {
        if (said.scheme === 'bearer') return bearer(said.credentials, 'bearer');
        if (said.scheme !== 'basic' || organization === undefined) return { kind: 'refused' };
        const known = await basic(said.credentials, { organization, source });
        if (known.kind !== 'user') return known;
        const wants = await wantedBeside(storage.db, known.user);
        return byPassword(await admit(known.user, 'basic'), known.user.password_hash, wants);
      }
      return cookie === undefined || cookie === '' ? { kind: 'anonymous' } : bearer(cookie, 'cookie');
    },
    ...createSessionDesk(options),
    async withObjects(actor, objects) {
      const who = { organization: actor.organization, user: actor.id };
      const held = await objectRoles(storage.db, who, objects);
      return held.length === 0 ? actor : { ...actor, roles: [...actor.roles, ...held] };
    },
    async withScope(actor, scope) {
      const who = { organization: actor.organization, user: actor.id };
      return { ...actor, roles: [...actor.roles, ...(await scopeRoles(storage.db, who, scope))] };
    },
    ...createPasswordDesk(storage, attempts),
    async createUser(trx, user) {
      const row = userRow(user, clock.now());
      try {
        await insertUser(trx, row);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new Fault('request.conflict', { detail: `There is a user "${user.username}" already.` });
      }
      const hasRoles = user.from === undefined && user.isPending !== true;
      return actorOf(row, hasRoles ? await giveFirstRoles(trx, row, user.role) : []);
    },
  };
}

/** From sign-in to sign-out. */
function createSessionDesk({
  storage,
  clock,
  sessionMs = 7 * 24 * 3_600_000,
}: AccessOptions): Pick<Access, 'openSession' | 'closeSession'> {
  return {
    async openSession(actor, { source, userAgent, passwordHash, beside }) {
      const token = newSecret(sessionPrefix);
      const nowMs = clock.now();
      const expiresAtMs = nowMs + sessionMs;
      const session = {
        token_hash: secretHash(token),
        organization: actor.organization,
        user_id: actor.id,
        created_at_ms: nowMs,
        expires_at_ms: expiresAtMs,
        last_use_at_ms: nowMs,
        source,
        user_agent: userAgent?.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, userAgentCharactersMax) ?? null,
        enrols: beside === 'enrolment' ? 1 : 0,
      };
      // Who changes a password ends the sessions in one transaction; one that is opened beside it waits for it, or is ended by it.
      await storage.transaction(async (trx) => {
        const who = { organization: actor.organization, userId: actor.id };
        const hasSecondFactor = beside === 'code';
        const by = passwordHash === undefined ? undefined : { hash: passwordHash, hasSecondFactor, nowMs };
        if (by === undefined || !(await noteConnection(trx, who, by)))
          throw new Fault('request.unauthorized');
        await insertSession(trx, session);
      });
      return { token, expiresAtMs };
    },
    async closeSession(token) {
      await deleteSession(storage.db, secretHash(token));
      await tellChangedRights(storage.notifier, '');
    },
  };
}

/** Passwords of people who have signed in. */
function createPasswordDesk(
  storage: Storage,
  attempts: Attempts,
): Pick<Access, 'hashPassword' | 'isPassword'> {
  return {
    async hashPassword(password) {
      const hash = await attempts.hash(password);
      if (hash === undefined) throw new Fault('request.too_many');
      return hash;
    },
    async isPassword(actor, password, source) {
      const user = await getUser(storage.db, actor.organization, actor.id);
      const outcome = await attempts.judge({
        account: accountOf(actor),
        source,
        password,
        stored: user?.password_hash,
      });
      if (typeof outcome === 'object') throw new ThrottledFault(outcome.retryAfterMs);
      return outcome === 'right' && user !== undefined;
    },
  };
}

function byPassword(signIn: SignIn, passwordHash: string, wants: 'code' | 'enrolment' | undefined): SignIn {
  if (signIn.kind !== 'actor') return signIn;
  return wants === undefined
    ? { ...signIn, passwordHash }
    : { kind: 'half', wants, actor: signIn.actor, passwordHash };
}

/** What a password alone does not do for this user. */
async function wantedBeside(db: Queries, user: UserRow): Promise<'code' | 'enrolment' | undefined> {
  if (user.second_factor === 1) return 'code';
  const settings = await findSignInSettings(db, user.organization);
  return settings?.second_factor_required === 1 ? 'enrolment' : undefined;
}

/** The actor with what his token or session says. */
function withActor(signIn: SignIn, more: Partial<Actor>): SignIn {
  return signIn.kind === 'actor' ? { ...signIn, actor: { ...signIn.actor, ...more } } : signIn;
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

function createBasic(
  { storage, clock, allowPasswords = true }: AccessOptions,
  attempts: Attempts,
): BasicCheck {
  const remembered = new LRUCache<string, string>({ max: rememberedMax, ttl: rememberedMs });
  const rememberKey = randomBytes(32);

  return async (value, { organization, source }) => {
    const text = Buffer.from(value, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const username = text.slice(0, colon);
    // NUL is legal in UTF-8 but not in PostgreSQL's text.
    if (colon < 1 || text.length > 1_024 || text.includes('\0')) return { kind: 'refused' };
    const found = await findUser(storage.db, organization, username);
    // Who is disabled, and a program, costs as much time as a name that nobody has.
    const mayEnter = allowPasswords || (found?.password_until_ms ?? 0) > clock.now();
    const user = mayEnter && found?.status === 'ACTIVE' && found.is_service === 0 ? found : undefined;
    const proof = createHmac('sha256', rememberKey).update(`${organization}\0${text}`).digest('base64');
    if (user !== undefined && remembered.get(proof) === user.password_hash) return { kind: 'user', user };

    const outcome = await attempts.judge({
      account: accountOf({ organization, username }),
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

const accountOf = ({ organization, username }: Pick<Actor, 'organization' | 'username'>): string =>
  `${organization}\0${username}`;

function newSecret(prefix: string): string {
  return prefix + randomBytes(32).toString('base64url');
}

function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The user as somebody who asks. */
export function actorOf(user: UserRow, roles: readonly HeldRole[]): Actor {
  return {
    id: user.id,
    organization: user.organization,
    username: user.username,
    displayName: user.display_name,
    roles,
    passwordMark: passwordMark(user.password_hash),
  };
}
