import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProduction } from './environment.ts';

test('an environment is production when its name says so, and not because it is nearly called so', () => {
  const said = (name: string, ...hrids: string[]) => isProduction({ name, hrids });
  for (const name of ['Production', 'production', 'PROD', ' Prod', 'prod-eu', 'Production (EU)', 'prod1'])
    assert.equal(said(name, 'other'), true, name);
  assert.equal(said('Live', 'prod'), true, 'in addresses');
  for (const name of [
    'Pre-production',
    'preprod',
    'non-prod',
    'Products',
    'Productivity',
    'Default environment',
    '',
  ])
    assert.equal(said(name, 'other'), false, name);
});
