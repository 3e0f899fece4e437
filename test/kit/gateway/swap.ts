import assert from 'node:assert/strict';

import type { Deployments } from '../../../data-plane/gateway/deploy/deployments.ts';
import { localTenant } from '../../../data-plane/local/local.ts';
import { recordsOf } from '../../../data-plane/local/records.ts';
import { Objects } from '../../../proto/definition/resources.ts';

/** Puts a revision in the place of the one before at once, as its file would a moment later. */
export function swapDefinition(
  { deployments }: { readonly deployments: Deployments },
  definition: Record<string, unknown>,
  turn: number,
): void {
  const revision = String(turn);
  const set = recordsOf(
    { name: 'swapped.json', version: revision, documents: [definition], problem: undefined },
    { ...localTenant, objects: new Objects([]), tags: [] },
  ).records.map(({ kind, id, payload }) => ({ kind, id, payload, seq: turn + 2, revision }));
  assert.deepEqual(deployments.apply({ ...localTenant, seq: turn + 2, isFull: false, set, removed: [] }), []);
}
