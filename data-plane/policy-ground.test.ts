import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { createFakeClock } from '../test/kit/fake-clock.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from './config.ts';
import { policyPartsOf } from './policy-ground.ts';

const partsOf = (settings: object) => policyPartsOf(gatewayConfigSchema.parse(settings), createFakeClock());

test('policies are told the trusted peers, the attribute of roles and the keys of bodies', (t) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keyFile = join(tempDir(t), 'key.pem');
  writeFileSync(keyFile, key);
  const { ground, quotaMode } = partsOf({
    listen: { trustedProxies: ['10.0.0.0/8'] },
    policy: {
      quota: { mode: 'round' },
      rbac: { rolesAttribute: 'groups' },
      jws: { keys: [{ key }, { kid: 'acme', keyFile }] },
    },
  });
  assert.deepEqual([quotaMode, ground.rolesAttribute], ['round', 'groups']);
  assert.deepEqual(['10.1.2.3', '192.0.2.7'].map(ground.isTrustedPeer), [true, false]);
  assert.ok(ground.jwsKeys.get('default')?.equals(publicKey) === true);
  assert.ok(ground.jwsKeys.get('acme')?.equals(publicKey) === true);
  assert.equal(partsOf({}).ground.rolesAttribute, 'user.roles');
});

test('a key that cannot be used is refused with its setting', () => {
  const path = (key: object): string | undefined => {
    try {
      partsOf({ policy: { jws: { keys: [key] } } });
      return undefined;
    } catch (error) {
      return (error as { details?: readonly { path: string }[] }).details?.[0]?.path;
    }
  };
  assert.equal(path({ key: 'nonsense' }), 'policy.jws.keys[0].key');
  assert.equal(path({ keyFile: '/nowhere/key.pem' }), 'policy.jws.keys[0].keyFile');
});
