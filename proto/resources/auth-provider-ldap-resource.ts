import { z } from 'zod';

import { hasExpression } from '../expression/find.ts';
import { apiLimits } from '../model/api-limits.ts';
import { atDeploy } from '../model/deploy/at-deploy.ts';
import { secret } from '../model/secrets/mark.ts';
import { section } from '../model/sections.ts';
import { asksForCaller, type LdapFilter, parseLdapFilter } from './ldap-filter.ts';
import { defineResource } from './resource-schema.ts';

const serversMax = 8;
const ports = { 'ldap:': 389, 'ldaps:': 636 } as const;

const waitMs = z.int().min(1).max(apiLimits.timeoutMsMax).default(5_000).meta({ unit: 'ms' });
const name = z.string().max(1_024);
const required = (why: string) => name.min(1, why);

const servers = () =>
  z
    .string()
    .max(2_048)
    .superRefine((text, context) => {
      const message = 'must be ldap:// or ldaps:// with a host, and nothing behind host and port';
      const found = serversOf(text);
      if (found.length === 0 || found.length > serversMax)
        context.addIssue({
          code: 'custom',
          message: `must be one to ${serversMax} URLs with spaces between them`,
        });
      if (found.includes(undefined)) context.addIssue({ code: 'custom', message });
    });

const filter = () =>
  z
    .string()
    .max(1_024)
    .superRefine((text, context) => {
      const parsed = parseLdapFilter(text);
      const message =
        'why' in parsed
          ? parsed.why
          : asksForCaller(parsed)
            ? undefined
            : 'must hold {0} in a value: the name that the caller gives';
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

/** Users of a directory. */
export const authProviderLdap = defineResource({
  id: 'auth-provider-ldap-resource',
  title: 'Users of a directory (LDAP)',
  summary: 'Asks a directory whether a user and his password belong together.',
  serves: ['authentication'],
  config: () =>
    section({
      contextSourceUrl: atDeploy(servers()),
      useStartTLS: z.boolean().default(false),
      contextSourceBase: atDeploy(required('is required: where the tree begins')),
      contextSourceUsername: atDeploy(
        required('is required: a directory takes a login without a name for nobody'),
      ),
      contextSourcePassword: secret(
        atDeploy(
          z
            .string()
            .min(1, 'is required: a directory takes a login without a password for nobody')
            .max(1_024),
        ),
      ),
      userSearchFilter: atDeploy(filter()).default('uid={0}'),
      userSearchBase: atDeploy(name).default(''),
      attributes: z
        .array(
          z
            .string()
            .max(128)
            .regex(/^[A-Za-z0-9][\w.;-]*$/u, 'must be the name of an attribute'),
        )
        .max(100)
        .default([]),
      cacheMaxElements: z.int().min(1).max(100_000).default(100),
      cacheTimeToLive: z.int().min(1_000).max(86_400_000).default(60_000).meta({ unit: 'ms' }),
      connectTimeout: waitMs,
      responseTimeout: waitMs,
      minPoolSize: z.int().min(0).max(100).default(5),
      maxPoolSize: z.int().min(1).max(100).default(15),
    }).superRefine(({ contextSourceUrl, useStartTLS, minPoolSize, maxPoolSize }, context) => {
      const say = (field: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [field], message });
      if (minPoolSize > maxPoolSize) say('minPoolSize', 'must not be more than maxPoolSize');
      if (
        useStartTLS &&
        !hasExpression(contextSourceUrl) &&
        serversOf(contextSourceUrl).some((server) => server?.isTls)
      )
        say('useStartTLS', 'must be false with ldaps://, which is secured from its first byte');
    }),
  docs: 'Searches `userSearchFilter` in the whole tree below `userSearchBase`, `contextSourceBase`, as `contextSourceUsername`; what the caller calls himself takes the place of `{0}` as a value, whatever signs it holds. Where one entry is found, its name and the password are tried on a connection of its own: `user` is the distinguished name of the entry, and `user.<name>` each of `attributes` that it has, a text, or a list where it has several. An empty password is refused unasked. Who is not found, or not let in (codes 19, 32, 48, 49, 50 and 53), is not known; everything else is an outage: several entries, other codes, a referral (none is followed), no connection within `connectTimeout`, no answer within `responseTimeout`, or all of it later than both together. Of several URLs the next is asked where one cannot be reached; who answered last is asked first. The way is secured by `ldaps://` or `useStartTLS`, verified by the authorities of the gateway (`outbound.caFile`, else the public ones), and bounded as endpoints are (`upstream.allow`, `upstream.deny`), also what a name resolves to; no proxy is used. Each process keeps `maxPoolSize` connections at most, and after a minute without use `minPoolSize`; 1,000 callers wait for one. Who was let in is remembered for `cacheTimeToLive` ms, `cacheMaxElements` of them and 16 MiB in each process, by a digest with a key of the process: so long his password counts, and what he was, after the directory says otherwise. An answer is 256 KiB at most.',
});

/** A server of a directory. */
export interface DirectoryServer {
  readonly host: string;
  readonly port: number;
  /** From its first byte. */
  readonly isTls: boolean;
}

/** Where a directory is, and how it is asked. */
export interface DirectoryPlace {
  readonly servers: readonly DirectoryServer[];
  readonly startsTls: boolean;
  /** Who searches. */
  readonly user: string;
  readonly password: string;
  /** Where, and what for. */
  readonly base: string;
  readonly filter: LdapFilter;
  readonly attributes: readonly string[];
  readonly connectMsMax: number;
  readonly answerMsMax: number;
  readonly connectionsMin: number;
  readonly connectionsMax: number;
}

type Config = z.output<(typeof authProviderLdap)['config']>;

/** What a configuration without expressions says of that. */
export function directoryPlaceOf(config: Config): DirectoryPlace {
  const { contextSourceBase: root, userSearchBase: below } = config;
  const parsed = parseLdapFilter(config.userSearchFilter);
  return {
    servers: serversOf(config.contextSourceUrl).filter((server) => server !== undefined),
    startsTls: config.useStartTLS,
    user: config.contextSourceUsername,
    password: config.contextSourcePassword,
    base: below.trim() === '' ? root : `${below},${root}`,
    // What does not parse has been refused, and finds nobody.
    filter: 'why' in parsed ? { kind: 'or', of: [] } : parsed,
    attributes: config.attributes,
    connectMsMax: config.connectTimeout,
    answerMsMax: config.responseTimeout,
    connectionsMin: config.minPoolSize,
    connectionsMax: config.maxPoolSize,
  };
}

function serversOf(text: string): readonly (DirectoryServer | undefined)[] {
  return text
    .split(/\s+/u)
    .filter((word) => word !== '')
    .map(serverOf);
}

function serverOf(text: string): DirectoryServer | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'ldap:' && url.protocol !== 'ldaps:')) return undefined;
  const { protocol, hostname, username, password, pathname, search, hash } = url;
  const isPlain = `${username}${password}${search}${hash}` === '' && ['', '/'].includes(pathname);
  // The URL parser leaves hosts of schemes that it does not know as they are; as http they become plain.
  const plain = URL.parse(`http://${hostname}/`)
    ?.hostname.replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '');
  if (!isPlain || hostname === '' || plain === undefined || plain === '') return undefined;
  return {
    host: plain,
    port: url.port === '' ? ports[protocol] : Number(url.port),
    isTls: protocol === 'ldaps:',
  };
}
