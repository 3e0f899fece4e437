import { basename, dirname } from 'node:path';

import type { Breach, HouseFile } from './rules.ts';

/*
 * What stays in order as the house grows: sizes, homes of the clock, the environment and sockets, tests beside what they test, words that are
 * declared and nobody says.
 */

const classLinesMax = 250;
const folderFilesMax = 25;

/** Tables of one kind: as many files as there are members. */
const tables: readonly string[] = [
  'proto/policies',
  'data-plane/policies',
  'data-plane/security',
  'deploy/commands',
  'control-plane/storage/migrations',
];

/** Where the wall clock and the environment are read and others are dialled; everywhere else that is handed in. */
const homes: readonly { readonly word: RegExp; readonly says: string; readonly places: readonly string[] }[] =
  [
    {
      word: /\bDate\.now\(/,
      says: 'the wall clock is handed in (proto/process/clock.ts)',
      places: [
        'control-plane/ui/kit/now.ts',
        'proto/process/clock.ts',
        // The engine stamps every request, and a call through an interface there is measurable.
        'data-plane/http',
        // A thread of its own; it compares with what the file system says.
        'data-plane/report/spool-thread.ts',
        'data-plane/report/segments.ts',
        // When a migration ran, for people alone.
        'control-plane/storage/migrate.ts',
      ],
    },
    {
      word: /\bprocess\.env\b/,
      says: 'the environment is read by what starts a process, and handed in',
      places: [
        'proto/process/config.ts',
        // Proxies of the system.
        'proto/process/outbound/outbound.ts',
        'data-plane/endpoints/described.ts',
        // What references of definitions to secrets name.
        'data-plane/serving.ts',
        'data-plane/workers/worker-process.ts',
        // Passed on, with where compiled code is kept.
        'control-plane/analytics/duck.ts',
        'deploy',
      ],
    },
    {
      word: /^import (?!type )[^;]*\b(?:connect|createConnection|request|get|Agent|lookup|resolve\w*|Resolver)\b[^;]*from 'node:(?:https?|http2|net|tls|dgram|dns|dns\/promises)'/m,
      says: 'nobody is dialled, and no name looked up, but where it is judged who may be: proto/process/outbound, or the host of a policy',
      places: [
        'proto/process/outbound',
        // Backends, by the guard of `endpoints/`.
        'data-plane/http',
        'data-plane/ldap/dial.ts',
        'data-plane/redis/checked-dials.ts',
        // Servers of DNS that the settings name.
        'data-plane/endpoints/discovery/dns.ts',
        'data-plane/names.ts',
        // Its own listener.
        'data-plane/workers/listener.ts',
        'data-plane/debug/caller.ts',
        'deploy',
      ],
    },
  ];

/** Checks sizes, homes, neighbours and words over all files. */
export function inspectOrder(files: readonly HouseFile[]): readonly Breach[] {
  const ours = files.filter(({ path }) => path.endsWith('.ts'));
  return [
    ...ours.flatMap(inspectClasses),
    ...inspectFolders(ours),
    ...ours.flatMap(inspectHomes),
    ...inspectNeighbours(ours),
    ...ours.flatMap(inspectTenants),
    ...inspectWords(ours),
  ];
}

const isTest = (path: string): boolean => path.startsWith('test/') || path.endsWith('.test.ts');

function inspectClasses({ path, text }: HouseFile): readonly Breach[] {
  return [...text.matchAll(/^(?:export )?(?:abstract )?class (\w+)[\s\S]*?\n\}/gm)].flatMap(
    ([body, name = '']) => {
      const lines = body.split('\n').length - 1;
      if (lines <= classLinesMax) return [];
      return [{ rule: 'class', path, message: `${name} has ${lines} lines; the most is ${classLinesMax}` }];
    },
  );
}

function inspectFolders(files: readonly HouseFile[]): readonly Breach[] {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    if (path.endsWith('.test.ts')) continue;
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  return [...counts].flatMap(([path, count]) => {
    if (count <= folderFilesMax || tables.includes(path)) return [];
    return [
      { rule: 'folder', path, message: `${count} files beside their tests; the most is ${folderFilesMax}` },
    ];
  });
}

function inspectHomes({ path, text }: HouseFile): readonly Breach[] {
  if (isTest(path)) return [];
  return homes
    .filter(({ word, places }) => word.test(text) && !places.some((place) => isIn(path, place)))
    .map(({ says }) => ({ rule: 'home', path, message: says }));
}

const isIn = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);

/** A policy has a test of its name beside it, and so has a resource of the management API. */
function inspectNeighbours(files: readonly HouseFile[]): readonly Breach[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.flatMap(({ path, text }) => {
    const isPolicy = isIn(path, 'data-plane/policies') && /: PolicyFactory</.test(text);
    const isResource = dirname(dirname(path)) === 'control-plane/management' && path.endsWith('.routes.ts');
    if (!isPolicy && !isResource) return [];
    const folder = dirname(path);
    const beside = isPolicy ? path.replace(/\.ts$/, '.test.ts') : `${folder}/${basename(folder)}.test.ts`;
    return paths.has(beside)
      ? []
      : [{ rule: 'beside', path, message: `has no test beside it (${basename(beside)})` }];
  });
}

/** Tables above the environment, whose rows belong to an organization. */
const tenantTables = [
  'organization',
  'environment',
  'entrypoint',
  'idempotency_key',
  'portal_notification',
  'raised_hook',
  'fleet',
  'user_account',
  'user_preference',
  'sharding_tag',
  'gateway_tenant',
  'audit',
  'audit_head',
];

/** A store of the management API narrows every query by `inTenant`, or by `inOrganization` where that is meant; none names the environment itself. */
function inspectTenants({ path, text }: HouseFile): readonly Breach[] {
  if (!path.startsWith('control-plane/') || !path.endsWith('.store.ts')) return [];
  const message =
    'a query of a tenant goes through inTenant or inOrganization (control-plane/storage/in-tenant.ts)';
  const breach = { rule: 'tenant', path, message };
  if (/\.where\('environment'/.test(text)) return [breach];
  if (!path.startsWith('control-plane/management/')) return [];
  const queries =
    /(in(?:Tenant|Organization)\(\s*)?\b(?:\w+\.)*(?:db|trx)\s*\.(?:selectFrom|updateTable|deleteFrom)\('(\w+)'/g;
  return [...text.matchAll(queries)].some(
    ([, isNarrowed, table = '']) => isNarrowed === undefined && !tenantTables.includes(table),
  )
    ? [breach]
    : [];
}

/** Where words are declared, one a line, that the house says elsewhere: codes of faults, kinds of events, keys of errors. */
const registers: readonly { readonly place: (path: string) => boolean; readonly word: RegExp }[] = [
  {
    place: (path) => /^proto\/faults\/(\w+-)?codes\.ts$/.test(path),
    word: /^ {2}'([a-z_]+\.[a-z_]+)': /gm,
  },
  { place: (path) => path === 'proto/model/gateway-events.ts', word: /^ {2}'([a-z_]+\.[a-z_]+)':/gm },
  { place: (path) => path === 'control-plane/management/audit/events.ts', word: /^ {2}([A-Z_]+):/gm },
  { place: (path) => isIn(path, 'proto/policies'), word: /^ {4}([A-Z][A-Z_]+): \{/gm },
];

function inspectWords(files: readonly HouseFile[]): readonly Breach[] {
  const said = files.filter(({ path }) => !isTest(path));
  const isSaid = (word: string, declaredIn: string): boolean => {
    // `PLAN_${status}` says every word that begins so.
    const start = word.replace(/[A-Za-z]+$/, '');
    return said.some(
      ({ path, text }) =>
        path !== declaredIn && (text.includes(`'${word}'`) || text.includes(`\`${start}\${`)),
    );
  };
  return said.flatMap(({ path, text }) =>
    registers
      .filter(({ place }) => place(path))
      .flatMap(({ word }) => [...text.matchAll(word)])
      .filter(([, name = '']) => !isSaid(name, path))
      .map(([, name = '']) => ({ rule: 'unsaid', path, message: `${name} is declared and nobody says it` })),
  );
}
