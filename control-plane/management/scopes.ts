import type { Right } from '../access/permissions.ts';
import type { Route } from './route.ts';

/**
 * Every right that an operation asks for, with those operations, in alphabetical order.
 *
 * What a personal token can be narrowed to, and what a menu entry can stand for: a right that no operation asks for opens nothing, so it is
 * not offered.
 */
export function rightsAsked(
  routes: readonly Pick<Route, 'rights' | 'operationId'>[],
): ReadonlyMap<Right, readonly string[]> {
  const asked = new Map<Right, string[]>();
  for (const { rights = [], operationId } of routes)
    for (const right of rights) asked.set(right, [...(asked.get(right) ?? []), operationId]);
  return new Map([...asked].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
