import { Fault, type FaultDetail } from '../../faults/fault.ts';
import { cleaned } from '../clean.ts';
import { glanceAt } from '../glance.ts';
import { isJson, type Json, type Note, type SourceApi } from '../opened.ts';
import { plansInOrder, slugOf } from '../plans.ts';
import { readForImport } from '../read.ts';
import { sourceOf } from '../source.ts';
import { toExport } from '../write.ts';
import { version4ExportOf } from './export.ts';
import { stepsIn } from './flows.ts';
import { groovyScriptsIn } from './groovy.ts';
import { placeOfPolicy } from './known-policies.ts';
import { openVersion2 } from './open.ts';
import { Place, Told } from './place.ts';
import { version2Of } from './version-1.ts';

/** What becomes of a migration: it loses nothing, something that somebody has to agree to, or it is not possible. */
export type MigrationState = 'MIGRATABLE' | 'CAN_BE_FORCED' | 'IMPOSSIBLE';

/** Why an API is not simply migratable; the worst of all issues counts. */
export interface MigrationIssue extends FaultDetail {
  readonly state: Exclude<MigrationState, 'MIGRATABLE'>;
}

/** What became of an API. */
export interface Migration {
  readonly state: MigrationState;
  readonly issues: readonly MigrationIssue[];
  /** What is read otherwise than it is written, and was so before. */
  readonly notes: readonly Note[];
  /** An export of version 4; undefined when it is impossible. */
  readonly v4: Json | undefined;
}

/** How to migrate. */
export interface MigrationOptions {
  /** An API of the v3 engine is taken for one of emulation; else it is impossible to migrate. */
  readonly emulates?: boolean | undefined;
}

/**
 * Migrates an API of version 1 or 2, in any form that one comes in, to version 4, as the reference's `_migrate` judges it. One of version 4 is
 * written as an export, and noted as such.
 *
 * What is made keeps more than the reference does: tags of flows, bodies of health checks, policies that it does not know.
 * Errors: request.invalid for what is no API definition at all.
 */
export function migrate(input: unknown, { emulates = false }: MigrationOptions = {}): Migration {
  const whole = cleaned(input);
  const { source, version, ...found } = sourceOf(whole);
  if (version === 4) return migrateVersion4(whole, source);
  const given = { ...source, version };
  const opened = openVersion2(emulates ? emulated(given) : given);
  const issues: readonly MigrationIssue[] = [
    ...issuesOf(given, emulates),
    ...[...found.faults, ...opened.faults].map((fault) => ({ ...fault, state: 'IMPOSSIBLE' as const })),
  ];
  const has = (state: MigrationState): boolean => issues.some((issue) => issue.state === state);
  return {
    state: has('IMPOSSIBLE') ? 'IMPOSSIBLE' : has('CAN_BE_FORCED') ? 'CAN_BE_FORCED' : 'MIGRATABLE',
    issues,
    notes: [...found.notes, ...opened.notes],
    v4: has('IMPOSSIBLE') ? undefined : version4ExportOf(opened.body, source),
  };
}

/** Nothing is to be done but writing it as an export; what is wrong with it makes that impossible. */
function migrateVersion4(input: unknown, { api, at, holder }: SourceApi): Migration {
  const field = api['gravitee'] === undefined ? 'definitionVersion' : 'gravitee';
  const already: Note = {
    path: holder === 'custom-resource' ? 'kind' : at === '' ? field : `${at}.${field}`,
    kind: 'idle',
    message: 'is of version 4 already: nothing is converted, and it is written as an export',
  };
  try {
    const glance = glanceAt(isJson(input) ? input : {});
    const { name = '', id = slugOf(name) } = glance;
    const { api: read, portal, notes } = readForImport(glance.named({ id, name }));
    const v4 = holder === 'export' && isJson(input) ? input : toExport(read, portal);
    return { state: 'MIGRATABLE', issues: [], notes: [already, ...notes], v4 };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const issues = error.details.map((detail) => ({ ...detail, state: 'IMPOSSIBLE' as const }));
    return { state: 'IMPOSSIBLE', issues, notes: [already], v4: undefined };
  }
}

function issuesOf(
  source: SourceApi & { readonly version: 1 | 2 },
  emulates: boolean,
): readonly MigrationIssue[] {
  const { source: second, pathOf } =
    source.version === 1
      ? version2Of(source, new Told())
      : { source, pathOf: (path: string): string => path };
  const issues: MigrationIssue[] = [];
  const say: Say = (state, { path }, message) => void issues.push({ path: pathOf(path), message, state });
  const api = new Place(second.api, second.at, new Told());
  judgeEngine(api, { holder: second.holder, emulates }, say);
  judgePages(api.field('pages'), say);
  judgeServices(api, say);
  judgeProxies(api.field('proxy'), say);
  const plans = plansInOrder(second).map(({ plan, path }) => new Place(plan, path, new Told()));
  for (const step of [api, ...plans].flatMap((holder) => stepsIn(holder.field('flows'))))
    judgeStep(step, say);
  return issues;
}

type Say = (state: MigrationIssue['state'], at: Place, message: string) => void;

function emulated(source: SourceApi & { readonly version: 1 | 2 }): typeof source {
  const { executionMode: _mode, ...api } = source.api;
  return { ...source, api: { ...api, execution_mode: 'v4-emulation-engine' } };
}

function judgeEngine(
  api: Place,
  { holder, emulates }: { readonly holder: SourceApi['holder']; readonly emulates: boolean },
  say: Say,
): void {
  const mode = api.field('execution_mode', 'executionMode');
  const word = mode.text(holder === 'custom-resource' ? 'v4-emulation-engine' : 'v3').toLowerCase();
  if (/^(?:v4[-_]emulation[-_]engine|jupiter)$/.test(word) || emulates) return;
  say(
    'IMPOSSIBLE',
    mode,
    'is v3, whose rules version 4 does not have; try it under emulation first (isthmus convert --emulate)',
  );
}

/** Pages with what version 4 does not take over; a list, or a map as custom resources have them. */
function judgePages(pages: Place, say: Say): void {
  const each = Array.isArray(pages.value) ? pages.items() : pages.members().map(([, page]) => page);
  for (const page of each) {
    const lost = (what: string, at: Place): void => {
      const isThere = Array.isArray(at.value) ? at.value.length > 0 : !at.isAbsent;
      if (isThere) say('IMPOSSIBLE', at, `a page with ${what} cannot be migrated`);
    };
    lost('translations', page.field('translations'));
    lost('access control', page.field('accessControls', 'access_controls'));
    lost('attached media', page.field('attached_media', 'attachedMedia'));
  }
}

function judgeServices(api: Place, say: Say): void {
  const services = api.field('services');
  const proxy = api.field('proxy');
  const groups = proxy.field('groups').items();
  const endpoints = [proxy, ...groups].flatMap((group) => group.field('endpoints').items());
  for (const check of [
    services.field('health-check', 'healthCheck'),
    ...endpoints.map((endpoint) => endpoint.field('healthcheck', 'healthCheck')),
  ]) {
    if (!isOn(check)) continue;
    const steps = check.field('steps');
    const [step = check] = steps.items();
    const assertions = step.field('response', 'expectation').field('assertions');
    if (steps.items().length > 1) say('IMPOSSIBLE', steps, 'has more than one step');
    if (assertions.items().length > 1) say('IMPOSSIBLE', assertions, 'has more than one assertion');
    if (!step.field('request').field('body').isAbsent)
      say('CAN_BE_FORCED', step.field('request').field('body'), 'is lost by the reference; it is kept here');
  }
  const discoveries = groups.map((group) => group.field('services').field('discovery'));
  for (const discovery of [services.field('discovery'), ...discoveries]) {
    if (!isOn(discovery)) continue;
    const provider = discovery.field('provider');
    const isConsul = /^consul/i.test(provider.text());
    if (isConsul) say('CAN_BE_FORCED', provider, 'has no page in the console of version 4');
    else say('IMPOSSIBLE', provider, 'is no discovery that can be migrated; allowed: CONSUL');
  }
}

function isOn(service: Place): boolean {
  return isJson(service.value) && service.field('enabled').flag(true);
}

function judgeProxies(proxy: Place, say: Say): void {
  const groups = proxy.field('groups').items();
  const endpoints = [proxy, ...groups].flatMap((group) => group.field('endpoints').items());
  for (const holder of [...groups, ...endpoints]) {
    const outgoing = holder.field('proxy', 'httpProxy');
    if (!isJson(outgoing.value) || !outgoing.field('enabled').flag()) continue;
    if (outgoing.field('useSystemProxy').flag()) continue;
    for (const [name, otherwise] of [
      ['host', 'localhost'],
      ['port', '3128'],
    ] as const)
      if (outgoing.field(name).text() === '')
        say('CAN_BE_FORCED', outgoing.field(name), `is missing; the reference takes ${otherwise}`);
  }
}

const impossible: ReadonlySet<string> = new Set([
  'cloud-events',
  'message-filtering',
  'metrics-reporter',
  'policy-interrupt',
  'policy-wssecurity-authentication',
]);

function judgeStep(step: Place, say: Say): void {
  const policy = step.field('policy');
  const id = policy.text();
  if (impossible.has(id)) return say('IMPOSSIBLE', policy, `"${id}" cannot be migrated`);
  if (placeOfPolicy(id) === 'unknown')
    say(
      'CAN_BE_FORCED',
      policy,
      `"${id}" is no policy of the reference, which loses the step; it is kept here`,
    );
  const configuration = step.field('configuration');
  const read = readConfiguration(configuration.value);
  if (read === undefined) return say('IMPOSSIBLE', configuration, 'is not readable');
  if (id === 'groovy' && groovyScriptsIn(read).length !== 1)
    say('IMPOSSIBLE', configuration, 'must hold one script: version 4 has one per step');
}

function readConfiguration(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? {};
  try {
    return JSON.parse(value === '' ? '{}' : value) as unknown;
  } catch {
    return undefined;
  }
}
