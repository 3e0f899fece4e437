import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainBeyondLoopback } from './plain-http.ts';

test('plain HTTP beyond loopback is told from what stays here or is encrypted', () => {
  const beyond = [
    'http://bridge.acme.com',
    'http://10.0.0.1:18092',
    'http://[fd00::1]/',
    'http://127.0.0.1.acme.com',
    'http://0.0.0.0',
    'ws://a',
  ];
  const fine = [
    'https://bridge.acme.com',
    'http://localhost:1',
    'http://127.1.2.3',
    'http://2130706433',
    'http://[::1]:1',
    'http://LOCALHOST',
  ];
  for (const url of beyond) assert.equal(isPlainBeyondLoopback(url), true, url);
  for (const url of fine) assert.equal(isPlainBeyondLoopback(url), false, url);
});
