import { needsOf } from '../../proto/expression/template.ts';
import { renderedByPath } from './path-groups.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/** Answers with where to go instead. */
export const httpRedirect: PolicyFactory<'http-redirect'> = ({ rules }, { refuse }) => {
  const broken = refuse('HTTP_REDIRECT_FAILURE');
  return {
    request: {
      needs: needsOf(rules.flatMap(({ path, location }) => [path, location])),
      run(call: PolicyCall): Verdict {
        for (const { path, location, status } of rules) {
          const where = renderedByPath(call, path, { text: location });
          if (where === undefined) continue;
          if (where.kind === 'value' && isUri(where.value))
            return { kind: 'answer', status, headers: [['Location', where.value]], body: '' };
          const why = where.kind === 'failed' ? where.why : 'the location is no URI';
          call.warn('EXPRESSION_EVALUATION_ERROR', why);
          return broken;
        }
        return CONTINUE;
      },
    },
  };
};

/** Whole, or relative to the request's. */
const isUri = (location: string): boolean =>
  /^[\x21-\x7e]+$/.test(location) && URL.canParse(location, 'http://host');
