import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, issuePair } from '../test/kit/servers/certificates.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { ownFigures } from './own-figures.ts';

test('a gateway tells which certificate ends first, and nothing of what it does not have', (t) => {
  const authority = createAuthority(tempDir(t));
  const [first, second] = [issuePair(authority, 'one.example'), issuePair(authority, 'two.example')];
  const tls = { ca: undefined, clientAuth: 'none', minVersion: 'TLSv1.2' } as const;
  const served = new Map([['one', { ...tls, certificates: [first, second] }]]);
  const spool = { state: 'degraded', problem: 'full', droppedRecords: 0, bytes: 1 } as const;
  const figures = ownFigures({ spool, certificates: { current: () => served } });
  assert.equal(figures['spoolDegraded'], 1);
  assert.ok(Number(figures['certificateEndsAtMs']) > Date.now());
  assert.ok(Number(figures['residentBytes']) > Number(figures['heapUsedBytes']));
  const bare = ownFigures({ spool: undefined, certificates: { current: () => new Map() } });
  assert.deepEqual(
    ['spoolDegraded', 'certificateEndsAtMs'].filter((name) => name in bare),
    [],
  );
});
