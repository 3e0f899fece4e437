import { EvaluationFailure } from '../../proto/expression/failure.ts';
import { matchGroups } from '../../proto/expression/patterns.ts';
import { withVariables } from '../../proto/expression/scope.ts';
import { needsOf, type Rendered } from '../../proto/expression/template.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/** Routes a request by its path; where it goes stands in an attribute, which the call of the backend reads. */
export const dynamicRouting: PolicyFactory<'dynamic-routing'> = ({ rules }, { refuse }) => {
  const noMatch = refuse('DYNAMIC_ROUTING_NO_MATCH');
  const broken = refuse('DYNAMIC_ROUTING_FAILURE');
  const fail = (call: PolicyCall, rendered: Exclude<Rendered<string>, { kind: 'value' }>): Verdict => {
    const why = rendered.kind === 'failed' ? rendered.why : 'the rule comes to nothing';
    call.warn('EXPRESSION_EVALUATION_ERROR', why);
    return broken;
  };
  return {
    request: {
      needs: needsOf(rules.flatMap(({ pattern, url }) => [pattern, url])),
      run(call: PolicyCall) {
        if (rules.length === 0) return CONTINUE;
        for (const { pattern, url } of rules) {
          const written = pattern.render(call);
          if (written.kind !== 'value') return fail(call, written);
          const groups = groupsOf(call, written.value);
          if ('kind' in groups) return fail(call, groups);
          if (groups.found === undefined) continue;
          const { all, named } = groups.found;
          const scope = withVariables(
            call,
            new Map<string, unknown>([
              ['group', all],
              ['groupName', named],
            ]),
          );
          const target = url.render(scope);
          if (target.kind !== 'value') return fail(call, target);
          call.attributes.set('request.endpoint', target.value);
          return CONTINUE;
        }
        return noMatch;
      },
    },
  };
};

type Groups = NonNullable<ReturnType<typeof matchGroups>>;

/** Of the path as it was sent; where only the decoded one matches, there are no groups of it. */
function groupsOf(
  call: PolicyCall,
  pattern: string,
): { readonly found: Groups | undefined } | Extract<Rendered<string>, { kind: 'failed' }> {
  const { pathInfo } = call.request;
  try {
    const raw = matchGroups(call, pathInfo, pattern);
    if (raw !== undefined || !pathInfo.includes('%')) return { found: raw };
    return { found: matchGroups(call, decoded(pathInfo), pattern) };
  } catch (error) {
    if (error instanceof EvaluationFailure) return { kind: 'failed', why: error.message };
    throw error;
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
