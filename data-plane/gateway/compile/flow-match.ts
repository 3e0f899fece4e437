import { namedMethods } from '../../../proto/model/access-record.ts';
import type { FlowDefinition } from '../../../proto/model/api.ts';
import { normalise } from '../../policies/path-readings.ts';

/** Says whether a flow is for a request, and how it compares with others when only the best may run. */
export interface FlowMatcher {
  /** True when it takes every request, so that nobody needs to ask. */
  readonly isAlways: boolean;
  matches(segments: readonly string[], method: string): boolean;
  /** Literal or parameter per segment; compared from the left by {@link isBetter}. */
  readonly shape: readonly ('literal' | 'parameter')[];
  readonly isExact: boolean;
}

/** Those that a definition can name; OTHER stands for all that remain. */
const named: ReadonlySet<string> = new Set(namedMethods);

/** Compiles the HTTP selector of a flow; a flow without one takes everything. */
export function createFlowMatcher(flow: FlowDefinition): FlowMatcher {
  const selector = flow.selectors.find((candidate) => candidate.type === 'http');
  const pattern = segmentsOf(normalise(selector?.path ?? '/'));
  const isExact = selector?.pathOperator === 'EQUALS';
  const methods = new Set(selector?.methods ?? []);
  const takesOthers = methods.has('OTHER');
  const isMethodTaken = (method: string): boolean =>
    methods.has(method) || (takesOthers && !named.has(method));
  // STARTS_WITH is a prefix of the text, as in the reference: /product takes /products too.
  const isTaken = (segment: string, given: string | undefined, isLast: boolean): boolean =>
    segment.startsWith(':') ||
    segment === given ||
    (isLast && !isExact && given?.startsWith(segment) === true);
  return {
    isAlways: pattern.length === 0 && !isExact && methods.size === 0,
    isExact,
    shape: pattern.map((segment) => (segment.startsWith(':') ? 'parameter' : 'literal')),
    matches(segments, method) {
      if (methods.size > 0 && !isMethodTaken(method)) return false;
      if (segments.length < pattern.length || (isExact && segments.length > pattern.length)) return false;
      return pattern.every((segment, index) =>
        isTaken(segment, segments[index], index === pattern.length - 1),
      );
    },
  };
}

/** Path below the context path as segments; slashes at the end and doubled ones make none. */
export function segmentsOf(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/**
 * Says whether one matching flow fits better than another: segment by segment, a literal before a parameter, then the
 * longer pattern, then EQUALS.
 */
export function isBetter(one: FlowMatcher, other: FlowMatcher): boolean {
  const length = Math.min(one.shape.length, other.shape.length);
  for (let index = 0; index < length; index += 1) {
    if (one.shape[index] !== other.shape[index]) return one.shape[index] === 'literal';
  }
  if (one.shape.length !== other.shape.length) return one.shape.length > other.shape.length;
  return one.isExact && !other.isExact;
}
