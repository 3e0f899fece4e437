import { EvaluationFailure } from '../../proto/expression/failure.ts';
import { needsOf } from '../../proto/expression/template.ts';
import { settled } from '../../proto/expression/values.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/** Sets attributes in their order; what fails or comes to nothing sets nothing. */
export const assignAttributes: PolicyFactory<'policy-assign-attributes'> = (
  { attributes },
  { place, host },
) => {
  const needs = needsOf(attributes.map(({ value }) => value));
  const assigned = attributes.map((each) => ({
    ...each,
    judge: isRoute(each.name) ? host.judgeTarget : undefined,
  }));
  const run = (call: PolicyCall): Verdict => {
    for (const { name, value, judge } of assigned) {
      const evaluated = value.evaluate(call, judge);
      if (evaluated.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${evaluated.why}`);
      if (evaluated.kind !== 'value') continue;
      try {
        call.attributes.set(name, settled(evaluated.value));
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${error.message}`);
      }
    }
    return CONTINUE;
  };
  return place.phase === 'request' ? { request: { needs, run } } : { response: { needs, run } };
};

/** Where the backend is; as `dynamic-routing` writes it. */
const isRoute = (name: string): boolean => name.replace(/^gravitee\.attribute\./, '') === 'request.endpoint';
