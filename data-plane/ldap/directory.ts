import { createSecureContext, type SecureContext } from 'node:tls';

import type { Clock } from '../../proto/process/clock.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import { besideWellKnown } from '../../proto/process/pem-files.ts';
import type { DirectoryPlace } from '../../proto/resources/auth-provider-ldap-resource.ts';
import type { Credentials } from '../policies/served.ts';
import type { Directory, DirectoryLogin } from '../resources/resource.ts';
import type { LdapAnswer, LdapConnection } from './connection.ts';
import { dialLdap, type LdapDial } from './dial.ts';
import { bindRequest, type LdapRequest, searchRequest } from './messages.ts';
import { LdapPool, type LdapRole } from './pool.ts';

/** What a directory needs of this process. */
export interface DirectoryOptions {
  readonly place: DirectoryPlace;
  readonly guard: Guard;
  /** PEM; believed beside the public authorities. */
  readonly ca: string | undefined;
  readonly clock: Clock;
}

/** RFC 4511 appendix A. */
const codes = { success: 0, sizeLimitExceeded: 4 };
/** What says that somebody is not let in: constraint violation, no such object, inappropriate authentication, invalid credentials, insufficient access rights, unwilling to perform. */
const refusals: ReadonlySet<number> = new Set([19, 32, 48, 49, 50, 53]);

/** Opens nothing before the first login. */
export function openLdapDirectory(options: DirectoryOptions): Directory {
  const { place, clock } = options;
  const { connectMsMax, answerMsMax } = place;
  const ask: Ask = (connection, request) => {
    const cancel = clock.after(answerMsMax, () =>
      connection.leave(new Error(`no answer within ${answerMsMax} ms`)),
    );
    return connection.ask(request).finally(cancel);
  };
  const pool = new LdapPool({ ...place, open: opener(options, ask), clock });
  return {
    async login(credentials) {
      if (credentials.username === '' || credentials.password === '') return { kind: 'refused' };
      const budget = new AbortController();
      const budgetMs = connectMsMax + answerMsMax;
      const cancel = clock.after(budgetMs, () =>
        budget.abort(new Error(`nobody was known within ${budgetMs} ms`)),
      );
      const withOne: WithOne = (role, request) =>
        pool.use(role, budget.signal, (connection) => ask(connection, request));
      try {
        return await login(place, credentials, withOne);
      } catch (error) {
        return { kind: 'unavailable', why: said(error) };
      } finally {
        cancel();
      }
    },
    close: () => pool.close(),
  };
}

/** Asks in the time of an answer. */
type Ask = (connection: LdapConnection, request: LdapRequest) => Promise<LdapAnswer>;

/** Asks on a connection of the pool. */
type WithOne = (role: LdapRole, request: LdapRequest) => Promise<LdapAnswer>;

async function login(
  place: DirectoryPlace,
  { username, password }: Credentials,
  ask: WithOne,
): Promise<DirectoryLogin> {
  const secondsMax = Math.ceil(place.answerMsMax / 1_000);
  const found = await ask('search', searchRequest({ ...place, word: username, entriesMax: 2, secondsMax }));
  const [entry, another] = found.entries;
  if (another !== undefined || found.code === codes.sizeLimitExceeded)
    return { kind: 'unavailable', why: 'more than one entry is found' };
  if (found.code !== codes.success)
    return { kind: 'unavailable', why: `the search was answered with code ${found.code}` };
  // RFC 4513 section 5.1.2: a password without a name is let in as nobody.
  if (entry === undefined || entry.dn === '') return { kind: 'refused' };
  const { code } = await ask('try', bindRequest(entry.dn, password));
  if (code === codes.success) return { kind: 'known', dn: entry.dn, attributes: entry.attributes };
  if (refusals.has(code)) return { kind: 'refused' };
  return { kind: 'unavailable', why: `a password was answered with code ${code}` };
}

/** Opens connections to the first of the servers that can be reached; who answered last is asked first. */
function opener({ place, guard, ca, clock }: DirectoryOptions, ask: Ask) {
  const { servers, user, password, connectMsMax, startsTls } = place;
  let context: SecureContext | undefined;
  const secureContext = (): SecureContext => (context ??= createSecureContext(besideWellKnown(ca)));
  const dial: LdapDial = { guard, clock, connectMsMax, startsTls, secureContext };
  let first = 0;
  const reach = async (signal: AbortSignal): Promise<LdapConnection> => {
    const reasons: string[] = [];
    const before = servers.slice(0, first);
    for (const server of [...servers.slice(first), ...before]) {
      try {
        const connection = await dialLdap(server, dial, signal);
        first = servers.indexOf(server);
        return connection;
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(said(error));
      }
    }
    throw new Error(reasons.join('; '));
  };
  return async (role: LdapRole, signal: AbortSignal): Promise<LdapConnection> => {
    const connection = await reach(signal);
    if (role === 'try') return connection;
    try {
      const { code } = await ask(connection, bindRequest(user, password));
      if (code !== codes.success) throw new Error(`its own user is not let in: code ${code}`);
      return connection;
    } catch (error) {
      connection.leave(error);
      throw error;
    }
  };
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
