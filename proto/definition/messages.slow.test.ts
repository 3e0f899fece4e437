import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeDefinition } from '../../test/kit/gateway/odd-texts.ts';
import { faultsOf } from './fixtures.ts';
import { readApi } from './read.ts';

test('whatever stands in a place, what is said of it completes a sentence in our own words', () => {
  const whole = wholeDefinition('a', { plainPort: 1, tlsPort: 2, authority: '' });
  const texts = new Set<string>();
  for (const wrong of [7, '', [], { x: 7 }])
    for (const place of placesIn(whole)) {
      const definition = structuredClone(whole);
      place(definition, wrong);
      for (const message of Object.values(faultsOrNone(definition))) texts.add(message);
    }
  const foreign = [...texts].filter((text) =>
    /^(?:Invalid|Too |Unrecognized|Expected|\[object)|received/.test(text),
  );
  assert.deepEqual(foreign, []);
  assert.ok(texts.size > 20, `${texts.size} different messages`);
});

type Place = (root: object, value: unknown) => void;

/** Every place of a value, as something that replaces what stands there. */
function placesIn(value: object, way: readonly string[] = []): readonly Place[] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]): readonly Place[] => [
    (root, wrong) => {
      const holder = way.reduce<object>((at, step) => Reflect.get(at, step) as object, root);
      Reflect.set(holder, key, wrong);
    },
    ...(typeof item === 'object' && item !== null ? placesIn(item, [...way, key]) : []),
  ]);
}

function faultsOrNone(definition: object): Readonly<Record<string, string>> {
  try {
    readApi(definition);
    return {};
  } catch {
    return faultsOf(definition);
  }
}
