import type { FlowDefinition } from '../../../proto/model/api.ts';
import { createFlowMatcher, segmentsOf } from './flow-match.ts';
import { normalise } from '../../policies/path-readings.ts';

/** What stands for the parameters of flows in a path below the context path, by name, as it was sent. */
export type PathParams = (pathInfo: string, method: string) => ReadonlyMap<string, readonly string[]>;

const none: ReadonlyMap<string, readonly string[]> = new Map();

/**
 * Compiles the parameters (`:id`) of flows. All enabled flows whose path and methods match give theirs, whatever their conditions say and
 * whichever of them fits best.
 */
export function createPathParams(flows: readonly FlowDefinition[]): PathParams {
  const patterns = flows.flatMap((flow) => {
    const path = flow.selectors.find(({ type }) => type === 'http');
    const names = segmentsOf(path?.type === 'http' ? path.path : '').map((segment) =>
      segment.startsWith(':') ? segment.slice(1) : undefined,
    );
    const hasNames = names.some((name) => name !== undefined);
    return flow.enabled && hasNames ? [{ names, matcher: createFlowMatcher(flow) }] : [];
  });
  if (patterns.length === 0) return () => none;
  return (pathInfo, method) => {
    const sent = segmentsOf(pathInfo);
    const read = segmentsOf(normalise(pathInfo));
    const found = new Map<string, string[]>();
    for (const { names, matcher } of patterns) {
      if (!matcher.matches(read, method)) continue;
      names.forEach((name, index) => {
        const value = sent[index];
        if (name === undefined || value === undefined) return;
        const values = found.get(name) ?? [];
        if (!values.includes(value)) found.set(name, [...values, value]);
      });
    }
    return found;
  };
}

/** Those of both; of one name the second's count. */
export function paramsOf(first: PathParams | undefined, second: PathParams): PathParams {
  if (first === undefined) return second;
  return (pathInfo, method) => new Map([...first(pathInfo, method), ...second(pathInfo, method)]);
}
