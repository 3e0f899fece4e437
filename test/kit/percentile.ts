/**
 * The value that a share of the values is not above, e.g. 0.5 or 0.99: one of them, by nearest rank. NaN when there are none, so that no
 * bound holds for what was not measured.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
