import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '../test/kit/temp-dir.ts';
import { loadUpConfigs } from './up-settings.ts';

test('the gateway of isthmus up believes proxies in private networks, unless it is told whom', (t) => {
  const trusted = (...set: readonly string[]): readonly string[] =>
    loadUpConfigs({ dataDir: tempDir(t), portOffset: 0, logLevel: 'warn', set }).gateway.listen
      .trustedProxies;
  assert.ok(trusted().includes('10.0.0.0/8') && trusted().includes('::1/128'));
  assert.deepEqual(trusted('gateway.listen.trustedProxies=192.0.2.7'), ['192.0.2.7']);
  assert.deepEqual(trusted('gateway.listen.trustedProxies=[]'), []);
});
