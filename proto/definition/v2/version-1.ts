import { namedMethods } from '../../model/access-record.ts';
import type { SourceApi } from '../opened.ts';
import { plansInOrder } from '../plans.ts';
import { groovyScriptsIn } from './groovy.ts';
import { placeOfPolicy } from './known-policies.ts';
import { Place, settle, type Told, type Tree } from './place.ts';

/** An API of version 1 in words of version 2, and where each place of it came from. */
export interface FromVersion1 {
  readonly source: SourceApi;
  readonly pathOf: (path: string) => string;
}

/**
 * Writes an API of version 1 (`paths`: rules by path) in words of version 2 (`flows`), as the reference's former converter did.
 *
 * One flow per path, of which the best match runs, since one path was chosen before. What the converter lost is lost here as well, and each
 * of it is noted.
 */
export function version2Of(original: SourceApi, told: Told): FromVersion1 {
  const api = new Place(original.api, original.at, told);
  const flows = api.field('flows');
  if (flows.items().length > 0) flows.fault('is of version 2; allowed: paths, or gravitee 2.0.0');
  const { value, pathOf } = settle({
    api: api.made(
      {
        ...kept(api, ['paths', 'plans', 'flows', 'gravitee', 'definitionVersion']),
        gravitee: '2.0.0',
        flow_mode: 'BEST_MATCH',
        flows: flowsOf(api.field('paths')),
      },
      true,
    ),
    plans: plansInOrder(original).flatMap(({ plan, path }) => planOf(new Place(plan, path, told))),
  });
  const { api: body, plans } = value as Pick<SourceApi, 'api' | 'plans'>;
  return { source: { api: body, at: 'api', plans, plansAt: 'plans', holder: original.holder }, pathOf };
}

/** All fields but these, as they are. */
function kept(holder: Place, others: readonly string[]): Readonly<Record<string, Tree>> {
  const fields = holder.members().filter(([name]) => !others.includes(name));
  return Object.fromEntries(fields);
}

function planOf(plan: Place): readonly Tree[] {
  if (typeof plan.value !== 'object') return [plan];
  if (plan.field('status').text().toLowerCase() === 'closed') {
    plan.note('idle', 'is closed, and is left out');
    return [];
  }
  return [plan.made({ ...kept(plan, ['paths', 'flows']), flows: flowsOf(plan.field('paths')) }, true)];
}

function flowsOf(paths: Place): Tree {
  const sorted = paths.members().toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return paths.made(sorted.map(([path, rules]) => flowOf(path, rules)));
}

function flowOf(path: string, list: Place): Tree {
  const rules = list.items().map((rule) => ruleOf(rule));
  const taken = [...new Set(rules.flatMap(({ methods }) => methods))].toSorted();
  const steps = (phase: Phase): readonly Tree[] =>
    rules.flatMap((rule) => (rule.phases.includes(phase) ? [stepOf(rule, taken)] : []));
  return list.made({
    name: '',
    // A star at the end was a part of the pattern that takes everything.
    'path-operator': { path: list.as(path.replace(/\/\*$/, '') || '/'), operator: 'STARTS_WITH' },
    methods: taken.length === namedMethods.length ? [] : taken,
    enabled: true,
    pre: steps('pre'),
    // Answers passed the rules in the opposite order.
    post: steps('post').toReversed(),
  });
}

type Phase = 'pre' | 'post';

interface Rule {
  readonly place: Place;
  readonly policy: string;
  readonly configuration: Place;
  readonly methods: readonly string[];
  readonly phases: readonly Phase[];
}

/** Everything but these is the policy; of several the last one counts. */
const ruleFields: readonly string[] = ['methods', 'description', 'enabled'];

function ruleOf(place: Place): Rule {
  const named = place.members().filter(([name]) => !ruleFields.includes(name));
  const [policy, configuration] = named.at(-1) ?? ['', place.as(undefined)];
  for (const [, other] of named.slice(0, -1))
    other.note('idle', `does nothing: of several policies the last one counts, ${policy}`);
  const said = place
    .field('methods')
    .items()
    .map((method) => method.text().toUpperCase());
  return {
    place,
    policy,
    configuration,
    methods: said.length === 0 ? namedMethods : said,
    phases: policy === '' ? [] : phasesOf(policy, configuration),
  };
}

function stepOf({ place, policy, configuration, methods }: Rule, taken: readonly string[]): Tree {
  const isNarrower =
    methods.length < taken.length && !namedMethods.every((method) => methods.includes(method));
  const condition = methods.toSorted().map((method) => `#request.method == '${method}'`);
  return place.made({
    name: policy,
    description: place.field('description'),
    enabled: place.field('enabled').flag(true),
    policy: configuration.as(policy),
    configuration,
    condition: isNarrower ? place.field('methods').as(`{${condition.join(' || ')}}`) : undefined,
  });
}

function phasesOf(policy: string, configuration: Place): readonly Phase[] {
  const place = placeOfPolicy(policy);
  if (place === 'requests') return ['pre'];
  if (place === 'responses') return ['post'];
  if (place === 'scripts') return phasesOfScripts(configuration);
  if (place !== 'scoped') {
    configuration.note('doubt', 'is no policy that is known here, so that its phase is not: it is left out');
    return [];
  }
  const scope = String(Object(configuration.value).scope ?? '').toUpperCase();
  if (scope.startsWith('REQUEST')) return ['pre'];
  if (scope.startsWith('RESPONSE')) return ['post'];
  configuration.note(
    'doubt',
    'says no scope, so that its phase is not known: it is left out; write one there',
  );
  return [];
}

function phasesOfScripts(configuration: Place): readonly Phase[] {
  const scripts = groovyScriptsIn(configuration.value);
  const phases: Phase[] = [];
  if (scripts.some((name) => name.startsWith('onRequest'))) phases.push('pre');
  if (scripts.some((name) => name.startsWith('onResponse'))) phases.push('post');
  if (phases.length === 0) configuration.note('idle', 'holds no script: it is left out');
  return phases;
}
