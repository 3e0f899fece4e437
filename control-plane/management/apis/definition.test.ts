import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import { planSchema as modelPlan } from '../../../proto/model/api-plans.ts';
import { apiSchema as modelApi } from '../../../proto/model/api-schema.ts';
import { headersPerPlaceMax } from '../../../proto/model/head-text.ts';
import { shapeOf, type SchemaShape } from '../../../test/kit/control-plane/schema-shape.ts';
import { updatePlanSchema } from '../plans/plan-shape.ts';
import { updateApiSchema } from './api-shape.ts';

/** A place in which the two differ. */
interface Difference {
  /** e.g. `api.listeners[](HTTP).paths[].host`. */
  readonly path: string;
  readonly what: string;
}

/**
 * Compares what management accepts with what the model reads, and names every difference.
 *
 * What the model drops, or refuses unless it is off, is not looked into, nor what management leaves to a plugin's schema. A smallest
 * length may be larger in management: the model fills in what old payloads lack.
 */
function differences(model: SchemaShape, management: SchemaShape, path: string): readonly Difference[] {
  if (model.kind === 'anything' || management.kind === 'anything') return [];
  if (management.kind === 'either') {
    return management.options.flatMap((option) => {
      // Of another word the model says itself that this version does not run it.
      const twin = optionsOf(model).find((one) => wordOf(one) === wordOf(option));
      return twin === undefined ? [] : differences(twin, option, `${path}(${wordOf(option)})`);
    });
  }
  const own = optionsOf(model).toSorted((a, b) => sizeOf(b) - sizeOf(a))[0] ?? model;
  if (management.kind === 'map' && management.value.kind === 'anything') return [];
  if (management.kind === 'object' && own.kind === 'object') {
    const names = new Set([...management.fields.keys(), ...own.fields.keys()]);
    return [...names].flatMap((name) => {
      const [here, there] = [own.fields.get(name), management.fields.get(name)];
      return here === undefined || there === undefined
        ? [{ path: `${path}.${name}`, what: 'missing' }]
        : differences(here, there, `${path}.${name}`);
    });
  }
  if (management.kind === 'words' || own.kind === 'words') return [];
  if (
    management.kind === 'object' ||
    own.kind === 'object' ||
    own.kind === 'either' ||
    own.kind === 'anything'
  )
    return [{ path, what: `${own.kind} and ${management.kind}` }];
  const [wide, narrow] = [own.bounds, management.bounds];
  const isSame = narrow.max === wide.max && (narrow.min ?? -Infinity) >= (wide.min ?? -Infinity);
  const bounds = isSame ? [] : [{ path, what: `${JSON.stringify(wide)} and ${JSON.stringify(narrow)}` }];
  if (management.kind === 'list' && own.kind === 'list')
    return [...bounds, ...differences(own.item, management.item, `${path}[]`)];
  if (management.kind === 'map' && own.kind === 'map')
    return [...bounds, ...differences(own.value, management.value, `${path}{}`)];
  return bounds;
}

const optionsOf = (shape: SchemaShape): readonly SchemaShape[] =>
  shape.kind === 'either' ? shape.options.flatMap(optionsOf) : [shape];
const sizeOf = (shape: SchemaShape): number => (shape.kind === 'object' ? shape.fields.size : 0);
const wordOf = (shape: SchemaShape): string => {
  const type = shape.kind === 'object' ? shape.fields.get('type') : undefined;
  return type?.kind === 'words' ? (type.words[0] ?? '').toUpperCase() : '';
};

/** What only one of the two has, and why. A line here is a decision. */
const decided = new Map([
  ['api.definitionVersion', 'the model calls it gravitee, and is given it under both names'],
  ['api.gravitee', 'see definitionVersion'],
  ['api.engine', 'of definitions of version 2, which an import refuses: they are migrated first'],
  ['api.plans', 'in management plans are a resource of their own'],
  ['api.analytics.messageSampling', 'the name of sampling in payloads'],
  ['.flows[].condition', 'of version 2, empty in payloads'],
  ['.flows[].connect', 'the name of entrypointConnect in payloads'],
  ['.flows[].methods', 'of version 2'],
  ['.flows[].pre', 'of version 2'],
  ['.flows[].post', 'of version 2'],
  ['.listeners[](HTTP).pathMappingsPattern', 'of payloads'],
  ['.responseTemplates{}{}.status', 'the name of statusCode in payloads'],
  // What exports say of an API or a plan beside what an author writes; the importer reads it.
  ...['hrid', 'environmentId', 'picture', 'background', 'links', 'metadata', 'members', 'pages'].map(
    (name) => [`api.${name}`, 'of exports'] as const,
  ),
  ['api.responseTemplatesEnabled', 'of exports'],
  ['api.resources[].id', 'of exports'],
  ['api.sync', 'what lists of management say of gateways; a PUT of what GET gave takes and forgets it'],
  ['api.hasDraft', 'what one API says of its draft; a PUT of what GET gave takes and forgets it'],
  ...[
    'apiType',
    'environmentId',
    'referenceId',
    'referenceType',
    'hrid',
    'comment_required',
    'generalConditionsHrid',
    'needRedeployAt',
  ].map((name) => [`plan.${name}`, 'of exports'] as const),
]);

test('every field of a definition is in the model and in the management spelling, with the same bounds', () => {
  const found = [
    ...differences(shapeOf(modelApi), shapeOf(updateApiSchema), 'api'),
    ...differences(shapeOf(modelPlan), shapeOf(updatePlanSchema), 'plan'),
  ];
  const isDecided = ({ path, what }: Difference): boolean =>
    what === 'missing' &&
    [...decided.keys()].some((known) => path === known || (known.startsWith('.') && path.endsWith(known)));
  assert.deepEqual(
    found.filter((one) => !isDecided(one)),
    [],
  );
  for (const known of decided.keys())
    assert.ok(
      found.some(({ path }) => path === known || (known.startsWith('.') && path.endsWith(known))),
      `${known} is no difference any more`,
    );
});

test('what the comparison cannot see, since it stands in a refinement, is bounded alike', () => {
  const many = (count: number, value: (n: number) => unknown): object =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, value(n)]));
  const types = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`a/b${n}`, {}]));
  const headers = (count: number): object => ({ '*/*': { headers: many(count, () => 'v') } });
  const keys = (count: number): object => many(count, () => ({ '*/*': {} }));
  for (const [fits, exceeds] of [
    [keys(apiLimits.templateKeysMax), keys(apiLimits.templateKeysMax + 1)],
    [{ K: types(apiLimits.templatesPerKeyMax) }, { K: types(apiLimits.templatesPerKeyMax + 1) }],
    [{ K: headers(headersPerPlaceMax) }, { K: headers(headersPerPlaceMax + 1) }],
  ])
    for (const { responseTemplates } of [modelApi.shape, updateApiSchema.shape]) {
      assert.equal(responseTemplates.safeParse(fits).success, true);
      assert.equal(responseTemplates.safeParse(exceeds).success, false);
    }
});
