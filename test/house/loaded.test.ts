import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const importStatement = /^(?:import|export)\s(?!type\s)(?:[^'"`;]*?from\s+)?['"]([^'"]+)['"]/gm;

test('the spool thread loads no package: it is an isolate of its own, and each would be there twice', () => {
  assert.deepEqual(loadedBy('data-plane/report/spool-thread.ts').packages, []);
});

test('a gateway of files loads no client, no signatures and no other process', () => {
  const { packages, rooms } = loadedBy(
    'deploy/cli.ts',
    'deploy/commands/gateway.ts',
    'data-plane/start.ts',
    'data-plane/folder-source.ts',
  );
  assert.deepEqual(packages, [
    'better-sqlite3',
    'big.js',
    'commander',
    'ipaddr.js',
    'lru-cache',
    'pino',
    'prom-client',
    'protobufjs',
    'zod',
  ]);
  assert.deepEqual(rooms, ['data-plane', 'deploy', 'proto']);
});

test('a gateway that follows a bridge loads no other process either', () => {
  const { packages, rooms } = loadedBy(
    'deploy/commands/gateway.ts',
    'data-plane/start.ts',
    'data-plane/bridge-source.ts',
  );
  assert.ok(packages.includes('undici'));
  assert.ok(!packages.includes('@aws-sdk/client-s3'));
  assert.deepEqual(rooms, ['data-plane', 'deploy', 'proto']);
});

test('no process of the data plane imports HTTP of Node, with which undici and HTTP/2 are loaded (listening/node-http.ts)', () => {
  const { builtIns } = loadedBy(
    'deploy/cli.ts',
    'deploy/commands/gateway.ts',
    'deploy/commands/shipper.ts',
    'data-plane/start.ts',
    'data-plane/folder-source.ts',
    'data-plane/workers/worker.ts',
    'shipper/start.ts',
  );
  for (const name of ['node:http', 'node:http2']) assert.ok(!builtIns.includes(name), name);
});

test('a worker loads nothing that only its primary needs', () => {
  const { packages } = loadedBy('data-plane/workers/worker-main.ts', 'data-plane/workers/worker.ts');
  for (const name of ['undici', 'ws', 'jose', 'better-sqlite3', 'hono', 'yaml'])
    assert.ok(!packages.includes(name), name);
});

/** What is loaded before anything runs: statements of import from these files on; what is imported by a call comes when it is needed. */
function loadedBy(...entries: readonly string[]) {
  const files = new Set(entries);
  const packages = new Set<string>();
  const builtIns = new Set<string>();
  for (const file of files)
    for (const [, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(importStatement)) {
      if (target.startsWith('.')) files.add(normalize(join(dirname(file), target)));
      else (target.startsWith('node:') ? builtIns : packages).add(target);
    }
  const rooms = new Set([...files].map((file) => relative('.', file).split('/')[0] ?? ''));
  return { packages: [...packages].toSorted(), builtIns: [...builtIns], rooms: [...rooms].toSorted() };
}
