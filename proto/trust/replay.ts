/** Remembers what was presented once, until it would be refused for its age anyway. */
export interface ReplayGuard {
  /**
   * Takes an id once: 'taken' the first time, 'replayed' after that, 'full' when its owner already has as many open
   * as allowed. Owners do not fill the guard for one another.
   */
  take(
    item: { readonly owner: string; readonly id: string },
    forgetAtMs: number,
    nowMs: number,
  ): 'taken' | 'replayed' | 'full';
  /** Ids remembered now. */
  size(): number;
}

/** Makes a guard in memory. Bounds: ids per owner, owners in all. */
export function createReplayGuard(
  bounds: { readonly perOwnerMax?: number; readonly ownersMax?: number } = {},
): ReplayGuard {
  const perOwnerMax = bounds.perOwnerMax ?? 2_000;
  const ownersMax = bounds.ownersMax ?? 100_000;
  const owners = new Map<string, Map<string, number>>();

  const sweep = (nowMs: number): void => {
    for (const [owner, ids] of owners) {
      forget(ids, nowMs);
      if (ids.size === 0) owners.delete(owner);
    }
  };

  return {
    take({ owner, id }, forgetAtMs, nowMs) {
      let ids = owners.get(owner);
      if (ids === undefined) {
        if (owners.size >= ownersMax) sweep(nowMs);
        if (owners.size >= ownersMax) return 'full';
        ids = new Map();
        owners.set(owner, ids);
      }
      if (ids.size >= perOwnerMax) forget(ids, nowMs);
      const until = ids.get(id);
      if (until !== undefined && until >= nowMs) return 'replayed';
      if (ids.size >= perOwnerMax) return 'full';
      ids.set(id, forgetAtMs);
      return 'taken';
    },
    size: () => [...owners.values()].reduce((sum, ids) => sum + ids.size, 0),
  };
}

function forget(ids: Map<string, number>, nowMs: number): void {
  for (const [id, forgetAtMs] of ids) if (forgetAtMs < nowMs) ids.delete(id);
}
