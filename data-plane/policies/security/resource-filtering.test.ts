import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

/** What becomes of a request to a path below `/a`: undefined where it passes, else the key and, where it is said, what is allowed. */
function judge(config: object, pathInfo: string, method = 'GET'): string | undefined {
  const verdict = startPolicy('resource-filtering', config)
    .call({ request: { pathInfo, path: `/a${pathInfo}`, method } })
    .pass();
  if (verdict === undefined) return undefined;
  assert.ok('kind' in verdict && verdict.kind === 'reject');
  return [verdict.status, verdict.key, ...verdict.headers.flat()].join(' ');
}

const forbidden = '403 RESOURCE_FILTERING_FORBIDDEN';

test('a white list lets pass what a rule takes, and says which methods a path would have', () => {
  const whitelist = [
    { pattern: '/items/*', methods: ['GET', 'HEAD'] },
    { pattern: '/items/*', methods: ['DELETE'] },
    { pattern: '/a/whole/**' },
    { pattern: '/photos/{id:[0-9]{1,3}}.{type}' },
    { pattern: '/doc?/**/x' },
  ];
  const judged = (path: string, method?: string) => judge({ whitelist }, path, method);
  assert.equal(judged('/items/7'), undefined);
  assert.equal(judged('/items/7/'), undefined);
  assert.equal(
    judged('/items/7', 'POST'),
    '405 RESOURCE_FILTERING_METHOD_NOT_ALLOWED Allow GET, HEAD, DELETE',
  );
  assert.equal(
    judged('/items/7', 'PROPFIND'),
    '405 RESOURCE_FILTERING_METHOD_NOT_ALLOWED Allow GET, HEAD, DELETE',
  );
  for (const path of ['/items', '/items/7/8', '/Items/7', '', '/'])
    assert.equal(judged(path), forbidden, path);
  assert.equal(judged('/whole/thing', 'POST'), undefined, 'by the whole path');
  assert.equal(judged('/whole'), undefined, '** takes no segment too');
  assert.equal(judged('/photos/123.jpg'), undefined);
  assert.equal(judged('/photos/1234.jpg'), forbidden);
  assert.equal(judged('/docs/x'), undefined);
  assert.equal(judged('/docs/a/b/x'), undefined);
  assert.equal(judged('/doc/x'), forbidden);
  assert.equal(judge({}, '/anything'), undefined, 'no list, no filter');
});

test('a black list refuses what a rule takes: 405 where the rule names methods, else 403', () => {
  const config = {
    whitelist: [{ pattern: '/**' }],
    blacklist: [{ pattern: '/admin/**' }, { pattern: '/items', methods: ['DELETE'] }],
  };
  assert.equal(judge(config, '/admin'), forbidden);
  assert.equal(judge(config, '/admin/users'), forbidden);
  assert.equal(judge(config, '/items', 'DELETE'), '405 RESOURCE_FILTERING_METHOD_NOT_ALLOWED');
  assert.equal(judge(config, '/items', 'GET'), undefined);
  assert.equal(judge(config, '/administrators'), undefined);
});

/** How people have asked for `/admin/x` where that is closed. */
const tricks = [
  '/admin//x',
  '//admin/x',
  '/./admin/x',
  '/y/../admin/x',
  '/y/..;/admin/x',
  '/%61dmin/x',
  '/%2561dmin/x',
  '/%25%36%31dmin/x',
  '/admin%2Fx',
  '/admin%252fx',
  '/admin%5cx',
  String.raw`/admin\x`,
  '/admin;a=b/x',
  '/admin%3ba=b/x',
  '/y%2f..%2fadmin/x',
  '/%2e%2e%2fadmin/x',
  '/ADMIN/x',
  '/aDmIn;V=1/x/',
  '/admin/x%00.png',
  '/admin/x%3f.css',
  '/admin/x%23',
  '/admin/x%20',
  '/%c1%a1dmin/x',
  '/admin./x',
  '/admin%20/x',
  '/admin%2e%20/x',
  '/ADMIN.../x.',
  '/admin/x...',
  '/y/..%20/admin/x',
  '/%u0061dmin/x',
  '/admin/x::$DATA',
  '/admin:$i30:$INDEX_ALLOCATION/x',
  '/admin/x/',
];

test('no spelling of a closed path comes past the black list, and none past the white one', () => {
  for (const path of tricks) {
    assert.equal(judge({ blacklist: [{ pattern: '/admin/x' }] }, path), forbidden, path);
    assert.equal(judge({ blacklist: [{ pattern: '/a/admin/**' }] }, path), forbidden, path);
    assert.equal(
      judge({ whitelist: [{ pattern: '/public/**' }, { pattern: '/y/**' }] }, path),
      forbidden,
      path,
    );
    for (const decodeEncodedSlash of [false, true]) {
      const config = { whitelist: [{ pattern: '/y/**' }], normalizeRequestPath: true, decodeEncodedSlash };
      assert.equal(judge(config, path), forbidden, path);
    }
  }
});

test('what Windows folds opens nothing in a white list, and closes no other path', () => {
  const whitelist = [{ pattern: '/open/*' }];
  for (const path of ['/open./x', '/open%20/x', '/open/x/..%20/../admin', '/%u006fpen/x'])
    assert.equal(judge({ whitelist }, path), forbidden, path);
  for (const path of ['/open/x.', '/open/x%20', '/open/a.b', '/open/..x', '/open/v1:cancel'])
    assert.equal(judge({ whitelist }, path), undefined, path);
  const blacklist = [{ pattern: '/admin/x' }];
  for (const path of ['/admin.x', '/admin/.x', '/admin%20x', '/admin/x.y', '/admin/x:cancel', '/.../admin/x'])
    assert.equal(judge({ blacklist }, path), undefined, path);
});

test('an open path may be spelled as its rule spells it, or plainly; letters beyond ASCII are the same escaped or not', () => {
  const whitelist = [{ pattern: '/my files/é*' }, { pattern: '/your%20files' }];
  for (const path of ['/my%20files/%C3%A9t%c3%a9', '/your%20files'])
    assert.equal(judge({ whitelist: [...whitelist, { pattern: '/my%20files/é*' }] }, path), undefined, path);
  assert.equal(
    judge({ whitelist: [{ pattern: '/%2A' }] }, '/anything'),
    forbidden,
    'an escaped star is no star',
  );
});

test('a normalised path is judged as it is decoded: once, with or without its escaped slashes', () => {
  const whitelist = [{ pattern: '/my files' }];
  assert.equal(judge({ whitelist }, '/my%20files'), forbidden);
  assert.equal(judge({ whitelist, normalizeRequestPath: true }, '/my%20files'), undefined);
  assert.equal(judge({ whitelist, normalizeRequestPath: true }, '/my%2520files'), forbidden);
  const slash = { whitelist: [{ pattern: '/x/y' }], normalizeRequestPath: true };
  assert.equal(judge(slash, '/x%2Fy'), forbidden);
  assert.equal(judge({ ...slash, decodeEncodedSlash: true }, '/x%2fy'), undefined);
  assert.equal(judge({ ...slash, decodeEncodedSlash: true }, '/x%252fy'), forbidden);
});

test('patterns that nobody can read are refused with their path; they match in time that grows with the path', () => {
  const fault = (pattern: string) =>
    catalog['resource-filtering'].config.safeParse({ whitelist: [{ pattern }] }).error?.issues[0]?.path;
  assert.deepEqual(fault('/{id:(?=a)}'), ['whitelist', 0, 'pattern']);
  assert.deepEqual(fault(''), ['whitelist', 0, 'pattern']);
  assert.deepEqual(fault(`/${'a'.repeat(1_000)}`), ['whitelist', 0, 'pattern']);
  assert.equal(fault(`/${'a'.repeat(999)}`), undefined);
  const hostile = {
    blacklist: [{ pattern: `/${'*a'.repeat(100)}b` }, { pattern: `${'/**/a'.repeat(100)}/b` }],
  };
  assert.equal(judge(hostile, `/${'a'.repeat(8_000)}`), undefined);
  assert.equal(judge(hostile, '/a'.repeat(4_000)), undefined);
  const { config } = catalog['resource-filtering'];
  assert.ok(!config.safeParse({ blacklist: [{ pattern: '/a', methods: ['FETCH'] }] }).success);
});

test('a path that a black list closes is closed however its characters are escaped', () => {
  const closed = startPolicy('resource-filtering', { blacklist: [{ pattern: '/admin/**' }] });
  const escape = (character: string, times: number): string => {
    let escaped = `%${character.charCodeAt(0).toString(16)}`;
    for (let more = 1; more < times; more += 1) escaped = escaped.replaceAll('%', '%25');
    return times === 0 ? character : escaped;
  };
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }), (times) => {
      const spelled = '/admin'
        .split('')
        .map((character, at) => escape(character, at === 0 ? 0 : (times[at] ?? 0)));
      const pathInfo = `${spelled.join('')}/x`;
      const verdict = closed.call({ request: { pathInfo } }).pass();
      assert.ok(verdict !== undefined, pathInfo);
    }),
    { numRuns: 200 },
  );
});
