import { EvaluationFailure } from '../../../proto/expression/failure.ts';
import { needsOf, type Rendered } from '../../../proto/expression/template.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory } from '../policy.ts';
import { keeps } from './constraints.ts';

type Rule = PolicyConfig<'policy-request-validation'>['rules'][number];

/** What is said of a rule that says nothing itself. */
const words: Readonly<Record<Rule['constraint']['type'], string>> = {
  NOT_NULL: 'must not be null',
  MIN: "'%s' must be at least %s",
  MAX: "'%s' must be at most %s",
  MAIL: "'%s' is not a valid e-mail address",
  DATE: "'%s' is not a valid date of the pattern %s",
  PATTERN: "'%s' does not match the pattern %s",
  SIZE: "'%s' must have between %s and %s characters",
  ENUM: "'%s' is not one of the values that are allowed",
};
/** Most characters of a value that are said again. */
const saidCharsMax = 1_000;

/** Refuses requests that break rules, and says which. */
export const requestValidation: PolicyFactory<'policy-request-validation'> = (
  { rules, status },
  { refuse },
) => ({
  request: {
    needs: needsOf(rules.flatMap(({ input, constraint }) => [input, ...constraint.parameters])),
    run(call: PolicyCall) {
      const violations = violationsOf(rules, call);
      if (violations.length === 0) return CONTINUE;
      const key = 'REQUEST_VALIDATION_INVALID';
      const { message } = refuse(key);
      return refuse(key, {
        status: Number(status),
        parameters: { violations: violations.join(', ') },
        content: { type: 'application/json', body: JSON.stringify({ message, constraints: violations }) },
      });
    },
  },
});

function violationsOf(rules: readonly Rule[], call: PolicyCall): readonly string[] {
  const violations: string[] = [];
  for (const { input, isRequired, constraint } of rules) {
    const value = input.render(call);
    if (value.kind === 'failed') {
      call.warn('EXPRESSION_EVALUATION_ERROR', value.why);
      return [...violations, 'an input cannot be evaluated'];
    }
    if (value.kind === 'nothing' && !isRequired) continue;
    const parameters = constraint.parameters.map((parameter) => textOf(parameter.render(call), call));
    if (!isKept(constraint.type, { value, parameters }, call))
      violations.push(said(constraint, value.kind === 'value' ? value.value : 'null', parameters));
  }
  return violations;
}

function isKept(
  type: Rule['constraint']['type'],
  asked: { readonly value: Rendered<string>; readonly parameters: readonly (string | undefined)[] },
  call: PolicyCall,
): boolean {
  const { value, parameters } = asked;
  if (value.kind !== 'value') return false;
  const there = parameters.filter((parameter) => parameter !== undefined);
  if (there.length < parameters.length) return false;
  try {
    return keeps[type](value.value, there, call);
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    call.warn('EXPRESSION_EVALUATION_ERROR', error.message);
    return false;
  }
}

function textOf(rendered: Rendered<string>, call: PolicyCall): string | undefined {
  if (rendered.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', rendered.why);
  return rendered.kind === 'value' ? rendered.value : undefined;
}

function said(
  { type, message }: Rule['constraint'],
  value: string,
  parameters: readonly (string | undefined)[],
): string {
  const values = [value.slice(0, saidCharsMax), ...parameters.map((parameter) => parameter ?? 'null')];
  const text = message === undefined || message === null || message === '' ? words[type] : message;
  let next = 0;
  return text.replaceAll('%s', (whole) => values[next++] ?? whole);
}
