import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { kitGround, startPolicy } from '../../../test/kit/gateway/policies.ts';

/** What becomes of a caller with such an attribute. */
function judge(config: object, attributes: Readonly<Record<string, unknown>>, rolesAttribute = 'user.roles') {
  const step = startPolicy('rbac', config, { host: { ground: { ...kitGround, rolesAttribute } } });
  const verdict = step.call({ attributes }).pass();
  if (verdict === undefined) return undefined;
  assert.ok('kind' in verdict && verdict.kind === 'reject');
  return `${verdict.status} ${verdict.key}`;
}

const spellings = [['read', 'write', 'x'], 'read write  x', 'read,write, x', '["read","write","x"]'];

test('a caller needs all of the roles, without strict one of them, however they are spelled', () => {
  for (const roles of spellings) {
    const has = { 'user.roles': roles };
    assert.equal(judge({ roles: ['read', 'write'] }, has), undefined);
    assert.equal(judge({ roles: ['read', 'admin'] }, has), '403 RBAC_FORBIDDEN');
    assert.equal(judge({ roles: ['read', 'admin'], strict: false }, has), undefined);
    assert.equal(judge({ roles: ['admin', 'Read', 'rea'], strict: false }, has), '403 RBAC_FORBIDDEN');
    assert.equal(judge({ roles: [] }, has), undefined);
  }
});

test('a caller without the attribute is refused, and one whose roles nobody can read', () => {
  assert.equal(judge({ roles: [] }, {}), '403 RBAC_NO_USER_ROLE');
  assert.equal(judge({ roles: ['a'] }, { 'user.roles': null }), '403 RBAC_NO_USER_ROLE');
  for (const odd of [7, { a: true }, true, 'a'.repeat(65_537)])
    assert.equal(judge({ roles: ['a'] }, { 'user.roles': odd }), '400 RBAC_INVALID_USER_ROLES');
  assert.equal(judge({ roles: ['a'] }, { 'user.roles': '' }), '403 RBAC_FORBIDDEN');
  assert.equal(judge({ roles: ['a'] }, { 'user.roles': [['a']] }), '403 RBAC_FORBIDDEN');
  assert.equal(judge({ roles: ['a'] }, { 'user.roles': `a${' '.repeat(65_535)}` }), undefined);
});

test('the attribute is the one that the gateway names', () => {
  assert.equal(judge({ roles: ['a'] }, { groups: 'a' }, 'groups'), undefined);
  assert.equal(judge({ roles: ['a'] }, { 'user.roles': 'a' }, 'groups'), '403 RBAC_NO_USER_ROLE');
});

test('roles are required, and none of them is empty', () => {
  const { config } = catalog.rbac;
  assert.deepEqual(config.safeParse({}).error?.issues[0]?.path, ['roles']);
  assert.deepEqual(config.safeParse({ roles: ['a', ''] }).error?.issues[0]?.path, ['roles', 1]);
});
