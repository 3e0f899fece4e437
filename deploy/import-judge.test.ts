import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { importWishOf } from '../control-plane/management/definitions/wanted.ts';
import type { Json } from '../proto/definition/opened.ts';
import { mask } from '../proto/trust/sealed-text.ts';
import { planConsoleFields } from '../proto/model/api-plans.ts';
import { apiConsoleFields } from '../proto/model/api-schema.ts';
import { judgeImport } from './import-judge.ts';

const api = (more: Json = {}): Json => ({
  definitionVersion: 'V4',
  id: 'a',
  name: 'a',
  listeners: [{ type: 'HTTP', paths: [{ path: '/a' }] }],
  endpointGroups: [
    {
      name: 'first',
      type: 'http-proxy',
      endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://backend.example' } }],
    },
  ],
  ...more,
});
const plan = (more: Json = {}): Json => ({ id: 'p', name: 'p', security: { type: 'KEY_LESS' }, ...more });

const version2 = (api: Json = {}, plan: Json = {}): Json => ({
  gravitee: '2.0.0',
  id: 'a',
  name: 'a',
  version: '1',
  execution_mode: 'v4-emulation-engine',
  proxy: {
    virtual_hosts: [{ path: '/a' }],
    groups: [{ name: 'g', endpoints: [{ name: 'e', target: 'http://backend.example' }] }],
  },
  plans: [{ id: 'p', name: 'p', security: 'key_less', status: 'published', ...plan }],
  ...api,
});

/** Of what kind each field is that is no word. */
const values: Json = {
  labels: ['one'],
  categories: ['one'],
  groups: ['one'],
  characteristics: ['one'],
  excludedGroups: ['one'],
  excluded_groups: ['one'],
  disableMembershipNotifications: true,
  disable_membership_notifications: true,
  commentRequired: true,
  comment_required: true,
  visibility: 'PUBLIC',
  validation: 'AUTO',
  type: 'API',
  order: 3,
};

suite(
  'what an import keeps of what no gateway looks at is not said to be left behind, and what it does not is',
  () => {
    const camel = (name: string): string =>
      name.replaceAll(/_(.)/g, (_all, letter: string) => letter.toUpperCase());
    const judged = (document: Json, name: string, at: string): void => {
      const { api: wish, plans } = importWishOf(document);
      const kept: Json = at === 'api' ? wish : (plans[0]?.wish ?? {});
      const said = judgeImport(document).some(({ path, kind }) => kind === 'portal' && path.endsWith(name));
      assert.equal(said, kept[camel(name)] === undefined, `${name} of ${at}: ${JSON.stringify(kept)}`);
    };
    // Said by other words, or read by gateways.
    const others = new Set([
      'state',
      'definitionVersion',
      'metadata',
      'members',
      'pages',
      'apiType',
      'order',
    ]);
    const fieldsOf = (all: object): readonly string[] => Object.keys(all).filter((name) => !others.has(name));
    for (const name of fieldsOf(apiConsoleFields))
      test(`${name} of an API`, () =>
        judged(api({ [name]: values[name] ?? 'word', plans: [plan()] }), name, 'api'));
    for (const name of fieldsOf(planConsoleFields))
      test(`${name} of a plan`, () =>
        judged(api({ plans: [plan({ [name]: values[name] ?? 'word' })] }), name, 'plan'));
    for (const name of [
      'description',
      'visibility',
      'groups',
      'labels',
      'picture',
      'crossId',
      'disable_membership_notifications',
      'deployed_at',
    ])
      test(`${name} of an API of version 2`, () =>
        judged(version2({ [name]: values[name] ?? 'word' }), name, 'api'));
    for (const name of [
      'description',
      'characteristics',
      'excluded_groups',
      'comment_required',
      'comment_message',
      'created_at',
    ])
      test(`${name} of a plan of version 2`, () =>
        judged(version2({}, { [name]: values[name] ?? 'word' }), name, 'plan'));
  },
);

const notes = (document: Json): readonly string[] =>
  judgeImport(document).map(({ path, message }) => `${path} ${message}`);

test('what stands beside the API of an export stays behind, and what a listener says to the portal is kept', () => {
  const overridden = api({ listeners: [{ type: 'HTTP', paths: [{ path: '/a', overrideAccess: true }] }] });
  const members = [{ id: 'somebody' }];
  assert.deepEqual(notes({ api: overridden, plans: [plan()], members, groups: ['one'] }), [
    'members is made anew, or left behind, by an import',
    'groups is made anew, or left behind, by an import',
  ]);
});

test('what keeps an imported API from being deployed is noted: no published plan, a shared policy group', () => {
  const unserved = 'plans has none that is published: it is deployed when one is';
  assert.deepEqual(notes(api({ plans: [plan()] })), []);
  assert.deepEqual(notes(api({ plans: [plan({ status: 'DEPRECATED' })] })), []);
  assert.deepEqual(notes(api()), [unserved]);
  assert.deepEqual(notes(api({ plans: [plan({ status: 'STAGING' })] })), [
    'plans[0] is in STAGING, which no gateway serves',
    unserved,
  ]);
  assert.deepEqual(notes(api({ plans: [plan({ id: 'q', status: 'CLOSED' })] })), [
    'plans that are closed are left behind by an import: "p"',
    unserved,
  ]);
  const step = { policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'marks' } };
  assert.deepEqual(notes({ api: api({ flows: [{ request: [step] }] }), plans: [plan()] }), [
    'api.flows[0].request[0] is deployed where the environment has the shared policy group "marks", deployed and for the request phase',
  ]);
});

test('what no database can keep is refused by its place', () => {
  for (const [document, path] of [
    [api({ plans: [plan({ name: 'a\0b' })] }), 'plans[0].name'],
    [api({ flows: [{ name: '\ud800' }] }), 'flows[0].name'],
  ] as const)
    assert.throws(() => judgeImport(document), {
      code: 'request.invalid',
      details: [{ path, message: 'must not hold NUL or half a surrogate pair' }],
    });
});

test('what the management API alone refuses is named by its place in the document, whatever its form', () => {
  const empty = 'must not be empty';
  for (const [document, path] of [
    [api({ apiVersion: '', plans: [plan()] }), 'apiVersion'],
    [{ api: api({ apiVersion: '' }), plans: [plan()] }, 'api.apiVersion'],
    [api({ plans: [plan({ id: 'q', status: 'CLOSED' }), plan({ name: '' })] }), 'plans[1].name'],
    [version2({ plans: { one: { ...plan({ name: '' }), security: 'key_less' } } }), 'plans.one.name'],
  ] as const)
    assert.throws(() => judgeImport(document), { details: [{ path, message: empty }] });
});

test('a second keyless plan that would be published is refused with its place, as publishing it would be', () => {
  const two = (first: string, second: string): Json =>
    api({
      plans: [
        plan({ id: 'a', name: 'A', status: first }),
        plan({ id: 'k', name: 'K', status: 'PUBLISHED', security: { type: 'API_KEY' } }),
        plan({ id: 'b', name: 'B', status: second }),
      ],
    });
  for (const [first, second] of [
    ['PUBLISHED', 'PUBLISHED'],
    ['PUBLISHED', 'DEPRECATED'],
  ] as const)
    assert.throws(() => judgeImport(two(first, second)), {
      code: 'request.invalid',
      details: [
        {
          path: 'plans[2]',
          message:
            'is keyless as the published plan "A" is; of an API one keyless plan can be published, allowed: STAGING',
        },
      ],
    });
  for (const [first, second] of [
    ['DEPRECATED', 'PUBLISHED'],
    ['STAGING', 'PUBLISHED'],
    ['PUBLISHED', 'STAGING'],
    ['CLOSED', 'PUBLISHED'],
  ] as const)
    judgeImport(two(first, second));
});

test('a store that stands in a definition and cannot be used is refused with its place; one that nobody here can read is not', () => {
  const withSsl = (ssl: Json, version: 2 | 4): Json => {
    const target = 'https://backend.example';
    if (version === 2)
      return version2({
        proxy: {
          virtual_hosts: [{ path: '/a' }],
          groups: [{ name: 'g', endpoints: [{ name: 'e', target, ssl, http: {} }] }],
        },
      });
    return api({
      endpointGroups: [
        {
          name: 'first',
          type: 'http-proxy',
          sharedConfiguration: { ssl },
          endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target } }],
        },
      ],
    });
  };
  const rows = [
    [{ trustStore: { type: 'PEM', content: 'nonsense' } }, 'trustStore', 'no PEM of certificates'],
    [{ trustStore: { type: 'PKCS12', content: 'no store!' } }, 'trustStore', 'it is no base64'],
    [{ keyStore: { type: 'PEM', certContent: 'x', keyContent: 'y' } }, 'keyStore', 'no start line'],
  ] as const;
  for (const [ssl, store, why] of rows)
    for (const [version, place] of [
      [4, 'endpointGroups[0].sharedConfiguration.ssl'],
      [2, 'proxy.groups[0].endpoints[0].ssl'],
    ] as const)
      assert.throws(
        () => judgeImport(withSsl(ssl, version)),
        ({ details }: { readonly details: readonly { path: string; message: string }[] }) => {
          assert.deepEqual(
            details.map(({ path }) => path),
            [`${place}.${store}`],
          );
          return (
            details[0]?.message.includes(`cannot be used (`) === true && details[0].message.includes(why)
          );
        },
      );
  for (const ssl of [
    { trustStore: { type: 'PEM', path: '/on/the/gateway.pem' } },
    { trustStore: { type: 'PKCS12', content: "{#dictionaries['stores']['trust']}" } },
  ])
    judgeImport(withSsl(ssl, 4));
  // What a re-import keeps stands behind it.
  importWishOf(withSsl({ keyStore: { type: 'PKCS12', content: mask } }, 4));
});
