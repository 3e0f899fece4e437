import { segmentsOf } from './flow-match.ts';

/**
 * Finds the pattern that a path falls under in analytics, e.g. /orders/:id; undefined when there are none.
 *
 * The one with the fewest parameters wins, then the one that stands first: /orders/mine before /orders/:id.
 */
export function createMappings(
  mappings: readonly string[],
): ((pathInfo: string) => string | undefined) | undefined {
  if (mappings.length === 0) return undefined;
  const isParameter = (segment: string): boolean => segment.startsWith(':');
  const patterns = mappings
    .map((mapping) => {
      const segments = segmentsOf(mapping);
      return { mapping, segments, parameters: segments.filter(isParameter).length };
    })
    .toSorted((a, b) => a.parameters - b.parameters);
  return (pathInfo) => {
    const segments = segmentsOf(pathInfo);
    return patterns.find(
      (pattern) =>
        pattern.segments.length === segments.length &&
        pattern.segments.every((segment, index) => isParameter(segment) || segment === segments[index]),
    )?.mapping;
  };
}
