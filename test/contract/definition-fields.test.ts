import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { exported, faultsOf } from '../../proto/definition/fixtures.ts';
import { readApi } from '../../proto/definition/read.ts';
import { apiSchema } from '../../proto/model/api-schema.ts';
import { catalog } from '../../proto/policies/catalog.ts';
import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { type SchemaShape, shapeOf } from '../kit/control-plane/schema-shape.ts';
import { fieldFates, onePlace } from './definition-fields.ts';

const root = join(import.meta.dirname, '../..');

/** Every place in which a value may stand, e.g. `api.listeners[].paths[].host`. */
function placesOf(shape: SchemaShape, at: string): readonly string[] {
  switch (shape.kind) {
    case 'object': {
      const places = [...shape.fields].flatMap(([name, field]) => placesOf(field, `${at}.${name}`));
      return places.length === 0 ? [at] : places;
    }
    case 'list':
      return placesOf(shape.item, `${at}[]`);
    case 'map':
      return placesOf(shape.value, `${at}{}`);
    case 'either':
      return shape.options.flatMap((option) => placesOf(option, at));
    case 'words':
    case 'value':
    case 'anything':
      return [at];
  }
}

const places = new Set(
  [
    ...placesOf(shapeOf(apiSchema), 'api'),
    ...Object.values(catalog).flatMap(({ id, config }) => placesOf(shapeOf(config), id)),
    ...Object.values(resourceCatalog).flatMap(({ id, config }) =>
      placesOf(shapeOf(config), `resources/${id}`),
    ),
  ].map(onePlace),
);

/** A definition that loads, with a value at a place of it. */
function withValue(place: string, value: unknown): unknown {
  const definition = structuredClone({ ...exported.api, plans: exported.plans }) as Record<string, unknown>;
  const steps = place.split('.').slice(1);
  let at: Record<string, unknown> = definition;
  steps.forEach((step, index) => {
    const isList = step.endsWith('[]');
    const name = isList ? step.slice(0, -2) : step;
    if (index === steps.length - 1) {
      at[name] = isList ? [value] : value;
      return;
    }
    const here = (at[name] ?? (isList ? [{}] : {})) as Record<string, unknown> | Record<string, unknown>[];
    at[name] = here;
    at = Array.isArray(here) ? (here[0] ??= {}) : here;
  });
  return definition;
}

/** How a fault names the first of each list. */
const faultPath = (place: string): string => place.slice('api.'.length).replaceAll('[]', '[0]');

test('every field of a definition is entered with where it takes effect, and no other is', () => {
  assert.deepEqual(
    [...places].filter((place) => !fieldFates.has(place)),
    [],
    'enter these in definition-fields.ts, with the test that sees them',
  );
  assert.deepEqual(
    [...fieldFates.keys()].filter((place) => !places.has(place)),
    [],
    'these are no fields any more',
  );
});

test('what takes effect is seen by a test that names it', () => {
  for (const [place, fate] of fieldFates) {
    if (fate.kind !== 'observed') continue;
    const name =
      place
        .replaceAll(/\[\]|\{\}/g, '')
        .split('.')
        .at(-1) ?? '';
    const text = readFileSync(join(root, fate.test), 'utf8');
    assert.ok(new RegExp(`\\b${name}\\b`).test(text), `${place} in ${fate.test}`);
  }
});

test('what this version does not run is refused by name unless it is off', () => {
  for (const [place, fate] of fieldFates) {
    if (fate.kind !== 'refused') continue;
    const path = faultPath(place);
    const faults = faultsOf(withValue(place, fate.unless));
    assert.ok(
      Object.keys(faults).some(
        (fault) => path === fault || path === `${fault}[0]` || fault.startsWith(`${path}.`),
      ),
      `${place} with ${JSON.stringify(fate.unless)}: ${JSON.stringify(faults)}`,
    );
  }
});

test('what belongs to console and portal is taken whatever it says, and changes nothing that a gateway does', () => {
  const changed = new Set([
    'api.listeners[].paths[].overrideAccess',
    'api.properties[].dynamic',
    'api.plans[].name',
    'api.flows[].id',
    'api.flows[].name',
    'api.flows[].request[].name',
    'api.flows[].request[].description',
  ]);
  const plain = readApi(withValue('api.id', 'orders')).api;
  for (const [place, fate] of fieldFates) {
    if (fate.kind !== 'portal' || changed.has(place)) continue;
    if (place === 'api.properties[].encryptable') continue;
    assert.deepEqual(readApi(withValue(place, { any: ['thing'] })).api, plain, place);
  }
});
