import { EvaluationFailure } from '../../proto/expression/failure.ts';
import { type MatchedGroups, matchGroups, noGroups } from '../../proto/expression/patterns.ts';
import { type ExpressionScope, withVariables } from '../../proto/expression/scope.ts';
import type { JudgePieces, Rendered, Template } from '../../proto/expression/template.ts';
import type { PolicyCall } from './policy.ts';

/**
 * What a rule's text comes to for the request whose path its pattern matches, with the pattern's groups; undefined when it does not match.
 *
 * Of the path as it was sent; where only the decoded one matches, the groups are of that.
 */
export function renderedByPath(
  call: PolicyCall,
  pattern: Template<string>,
  { text, judge }: { readonly text: Template<string>; readonly judge?: JudgePieces | undefined },
): Rendered<string> | undefined {
  const written = pattern.render(call);
  if (written.kind !== 'value') return written;
  try {
    const groups = groupsOf(call, written.value);
    return groups === undefined ? undefined : text.render(withGroups(call, groups), judge);
  } catch (error) {
    if (error instanceof EvaluationFailure) return { kind: 'failed', why: error.message };
    throw error;
  }
}

const variablesOf = ({ all, named }: MatchedGroups): ReadonlyMap<string, unknown> =>
  new Map<string, unknown>([
    ['group', all],
    ['groupName', named],
  ]);

const noVariables = variablesOf(noGroups);

const withGroups = (call: PolicyCall, groups: MatchedGroups): ExpressionScope =>
  withVariables(call, groups === noGroups ? noVariables : variablesOf(groups));

function groupsOf(call: PolicyCall, pattern: string): MatchedGroups | undefined {
  const { pathInfo } = call.request;
  const raw = matchGroups(call, pathInfo, pattern);
  if (raw !== undefined || !pathInfo.includes('%')) return raw;
  return matchGroups(call, decoded(pathInfo), pattern);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
