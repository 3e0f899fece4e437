import { needsOf } from '../../proto/expression/template.ts';
import { renderedByPath } from './path-groups.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from './policy.ts';

/** Routes a request by its path; where it goes stands in an attribute, which the call of the backend reads. */
export const dynamicRouting: PolicyFactory<'dynamic-routing'> = ({ rules }, { refuse, host }) => {
  const noMatch = refuse('DYNAMIC_ROUTING_NO_MATCH');
  const broken = refuse('DYNAMIC_ROUTING_FAILURE');
  return {
    request: {
      needs: needsOf(rules.flatMap(({ pattern, url }) => [pattern, url])),
      run(call: PolicyCall) {
        if (rules.length === 0) return CONTINUE;
        for (const { pattern, url } of rules) {
          const target = renderedByPath(call, pattern, { text: url, judge: host.judgeTarget });
          if (target === undefined) continue;
          if (target.kind !== 'value') {
            const why = target.kind === 'failed' ? target.why : 'the rule comes to nothing';
            call.warn('EXPRESSION_EVALUATION_ERROR', why);
            return broken;
          }
          call.attributes.set('request.endpoint', target.value);
          return CONTINUE;
        }
        return noMatch;
      },
    },
  };
};
