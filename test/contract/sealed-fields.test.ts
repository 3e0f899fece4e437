import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { mapSecrets } from '../../proto/model/secrets/places.ts';

/** Where in an API the fields of a chapter of docs/definitions.md stand; other chapters have no secrets. */
const placeOf: Readonly<Record<string, (configuration: object) => object>> = {
  'How endpoints are reached': (sharedConfiguration) => ({ endpointGroups: [{ sharedConfiguration }] }),
  Discovery: (discovery) => ({
    endpointGroups: [{ services: { discovery: { type: 'consul-service-discovery', ...discovery } } }],
  }),
  'Properties that are fetched': (dynamicProperty) => ({ services: { dynamicProperty } }),
};

const planted = 'planted';

/** `headers[].value` with a text there. */
function withText(path: string): object {
  const keys = path.split('.').flatMap((key) => (key.endsWith('[]') ? [key.slice(0, -2), '[]'] : [key]));
  return keys.reduceRight<unknown>(
    (inside, key) => (key === '[]' ? [inside] : { [key]: inside }),
    planted,
  ) as object;
}

test('whatever the reference of definitions calls a secret is sealed where it stands', () => {
  const text = readFileSync(new URL('../../docs/definitions.md', import.meta.url), 'utf8');
  let seen = 0;
  for (const chapter of text.split(/^## /m)) {
    const [title = ''] = chapter.split('\n', 1);
    for (const [, path = ''] of chapter.matchAll(/^\| `([^`]+)` \| secret /gm)) {
      const place = placeOf[title];
      assert.ok(place !== undefined, `this test knows where the fields of "${title}" stand: ${path}`);
      const found: string[] = [];
      mapSecrets(place(withText(path)), (value, { isSecret }) => {
        if (isSecret) found.push(value);
        return value;
      });
      assert.deepEqual(found, [planted], `${title}: ${path}`);
      seen += 1;
    }
  }
  assert.ok(seen >= 10, `${seen} secrets in the reference`);
});
