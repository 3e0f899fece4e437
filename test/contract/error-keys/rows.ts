import { catalog } from '../../../proto/policies/catalog.ts';
import type { PolicySchema } from '../../../proto/policies/policy-schema.ts';
import { contentRows } from './content-rows.ts';
import type { KeyRow } from './row.ts';
import { securityRows } from './security-rows.ts';
import { threatRows } from './threat-rows.ts';
import { trafficRows } from './traffic-rows.ts';

/** How a caller meets each error key of the catalogue. dir: where certificates are made. */
export const keyRows = (dir: string): readonly KeyRow[] => [
  ...securityRows(dir),
  ...threatRows,
  ...trafficRows,
  ...contentRows,
];

/** Which key of which policy; in which phase, where each has a status of its own. */
export function nameOf({ policy, key, phase = 'request' }: Pick<KeyRow, 'policy' | 'key' | 'phase'>): string {
  const schema: PolicySchema = catalog[policy];
  return schema.errors[key]?.answerStatus === undefined
    ? `${policy} ${key}`
    : `${policy} ${key} in the ${phase} phase`;
}
