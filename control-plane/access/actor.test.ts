import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Actor, authorize } from './actor.ts';

const nobody: Actor = { id: 'ada', organization: 'o', username: 'ada', displayName: 'Ada', roles: [] };
const admin: Actor = { ...nobody, roles: [{ scope: 'organization', reference: 'o', name: 'ADMIN' }] };
const at = { organization: 'o', environment: 'e', api: 'a' };

test('who is refused is told which right it needs, of another organization nothing', () => {
  const refused = (actor: Actor, resource = at) => {
    try {
      authorize(actor, ['api-plan:create', 'api-plan:update'], resource);
    } catch (error) {
      const { code, detail } = error as { code: string; detail: string };
      return [code, detail];
    }
    return undefined;
  };
  assert.deepEqual(refused(nobody), [
    'request.forbidden',
    'You do not have the permission for this: it needs api-plan:create or api-plan:update.',
  ]);
  assert.deepEqual(refused({ ...admin, scopes: ['api-plan:read'] }), [
    'request.forbidden',
    'Your token is not for this: it would need the scope api-plan:create or api-plan:update.',
  ]);
  assert.equal(refused({ ...admin, scopes: ['api-plan:update'] }), undefined);
  const [code, detail = ''] = refused(admin, { ...at, organization: 'other' }) ?? [];
  assert.equal(code, 'request.not_found');
  assert.doesNotMatch(detail, /api-plan/);
});
