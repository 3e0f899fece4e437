import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoveryCatalog } from '../../../proto/model/api/discovery.ts';
import { secretFields } from '../../../proto/model/secrets/fields.ts';
import { catalog } from '../../../proto/policies/catalog.ts';
import type { FormSchema } from '../../../proto/policies/form-schema.ts';
import { resourceCatalog } from '../../../proto/resources/catalog.ts';
import { openOffice } from '../../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';

const base = '/management/v2/organizations/DEFAULT/plugins';
const kinds = ['policies', 'resources', 'endpoints', 'entrypoints', 'api-services'] as const;
interface Listed {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly icon: string;
  readonly category: string;
}

test('everything that a definition can be made of is listed by name, with a sentence, a picture and a form', async (t) => {
  const { call } = await openOffice(t, testDatabases[0] as TestDatabase);
  const get = async (path: string) => {
    const { status, body } = await call('GET', `${base}/${path}`);
    assert.equal(status, 200, path);
    return body;
  };
  const ids = new Map<string, readonly string[]>();
  for (const kind of kinds) {
    const listed = Object.values(await get(kind)) as unknown as readonly Listed[];
    assert.deepEqual(
      listed.map(({ name }) => name),
      listed.map(({ name }) => name).toSorted(),
    );
    ids.set(
      kind,
      listed.map(({ id }) => id),
    );
    for (const plugin of listed) {
      const path = `${kind}/${plugin.id}`;
      assert.match(plugin.description, /^[A-Z].{8,}\.$/s, path);
      assert.match(plugin.icon, /^data:image\/svg\+xml;base64,/, path);
      assert.deepEqual(await get(path), plugin);
      const { content, language } = await get(`${path}/documentation`);
      assert.equal(language, 'MARKDOWN');
      assert.ok(String(content).length > 20, path);
      assert.equal((await get(`${path}/schema`))['type'], 'object', path);
    }
  }
  assert.deepEqual(
    await get('policies/transform-status-code/schema'),
    await get('policies/status-code/schema'),
  );
  assert.deepEqual(ids.get('policies')?.toSorted(), Object.keys(catalog).toSorted());
  assert.deepEqual(ids.get('api-services')?.toSorted(), [
    ...Object.keys(discoveryCatalog),
    'http-dynamic-properties',
    'http-health-check',
  ]);
  assert.deepEqual(ids.get('resources')?.toSorted(), Object.keys(resourceCatalog).toSorted());
});

test('a form knows secrets and expressions, and says where a policy may stand', async (t) => {
  const { call } = await openOffice(t, testDatabases[0] as TestDatabase);
  const get = async (path: string) => (await call('GET', `${base}/${path}`)).body;
  const form = async (path: string) => (await get(path)) as unknown as FormSchema;
  const secretsOf = (schema: FormSchema): number => {
    const { properties = {}, items, additionalProperties: each, anyOf = [], oneOf = [] } = schema;
    const inside = [
      ...Object.values(properties),
      ...anyOf,
      ...oneOf,
      ...(items === undefined ? [] : [items]),
      ...(typeof each === 'object' ? [each] : []),
    ];
    const own = 'format' in schema && schema.format === 'password' ? 1 : 0;
    return own + inside.reduce((sum, one) => sum + secretsOf(one), 0);
  };
  for (const [kind, fields] of [
    ['policies', secretFields.policies],
    ['resources', secretFields.resources],
  ] as const)
    for (const [id, all] of fields)
      assert.ok(secretsOf(await form(`${kind}/${id}/schema`)) >= all.length, `${kind}/${id}`);
  const shared = await form('endpoints/http-proxy/shared-configuration-schema');
  assert.ok(secretsOf(shared) >= secretFields.endpoints.length);
  const headers = await form('policies/transform-headers/schema');
  assert.equal(headers.properties?.['addHeaders']?.items?.properties?.['value']?.mayHoldExpressions, true);
  assert.equal(headers.properties?.['addHeaders']?.description, 'Headers that are set.');
  const cache = await form('resources/cache/schema');
  assert.match(cache.properties?.['timeToLiveSeconds']?.description ?? '', /^After how long/);
  const phases = async (id: string) => {
    const { flowPhaseCompatibility, isPlanSecurity } = await get(`policies/${id}`);
    return [flowPhaseCompatibility, isPlanSecurity];
  };
  assert.deepEqual(await phases('transform-headers'), [{ HTTP_PROXY: ['REQUEST', 'RESPONSE'] }, false]);
  assert.deepEqual(await phases('rate-limit'), [{ HTTP_PROXY: ['REQUEST'] }, false]);
  assert.deepEqual(await phases('api-key'), [{ HTTP_PROXY: [] }, true]);
});

test('what this version does not have is not found, with what it has', async (t) => {
  const { call } = await openOffice(t, testDatabases[0] as TestDatabase);
  for (const kind of kinds)
    for (const path of ['', '/schema', '/documentation'])
      for (const id of ['groovy', '__proto__', 'constructor']) {
        const { status, body } = await call('GET', `${base}/${kind}/${id}${path}`);
        // Some are no id at all.
        assert.equal(status, id.startsWith('_') ? 400 : 404, `${kind}/${id}${path}`);
        if (status === 404) assert.match(JSON.stringify(body), /There are [a-z]/);
      }
});
