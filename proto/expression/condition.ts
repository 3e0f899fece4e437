import type { ExpressionScope } from './scope.ts';
import { type FailedRendering, failedOf } from './failure.ts';
import { compileText, type TemplateNeeds, type VaryingText } from './template.ts';
import { toBoolean } from './values.ts';

/** A request in hand that hears why a condition could not be told. */
export interface ConditionScope extends ExpressionScope {
  warn(key: string, message: string): void;
}

/** Something that holds for a request or does not. */
export interface Condition {
  /** What asking needs of the body of its phase. */
  readonly needs: TemplateNeeds;
  /** Known when the definition is loaded; undefined where each request has its own. */
  readonly always: boolean | undefined;
  /** It may speak of the path, which may be read in more ways than the one in which it was sent. False is certain. */
  readonly readsPath: boolean;
  /** What it comes to, where a failure is to be told from what does not hold: wherever what stands behind it may be a guard. */
  judge(scope: ExpressionScope): Judgement;
  /** One that fails does not hold, and the request is warned of it (`EXPRESSION_EVALUATION_ERROR`), as in the reference; one that comes to nothing does not hold. */
  holds(scope: ConditionScope): boolean;
}

/** `nothing`: it came to no value. */
export type Judgement = boolean | 'nothing' | FailedRendering;

/** Why a text is no condition. */
export interface RefusedCondition {
  readonly kind: 'refused';
  readonly message: string;
}

const constant = (value: boolean): Condition => ({
  needs: 'head',
  always: value,
  readsPath: false,
  judge: () => value,
  holds: () => value,
});
const always = constant(true);
const never = constant(false);
/** `path`, `pathInfos`, `pathParams`, `uri`: names of members have no escapes and are not worked out, so one that is read stands in the text. */
const pathName = /path|uri/i;

/** Compiles the condition of a step or a flow: an expression, or a word that reads as a boolean; an empty text always holds. places: as in `compileText`. */
export function compileCondition(text: string, places?: readonly string[]): Condition | RefusedCondition {
  const written = text.trim();
  if (written === '') return always;
  const compiled = compileText(written, { places: places === undefined ? undefined : new Set(places) });
  if (compiled.kind === 'refused') return compiled;
  if (compiled.kind === 'varying') return varying(compiled, pathName.test(written));
  const word = booleanOf(written);
  if (typeof word === 'boolean') return word ? always : never;
  return { kind: 'refused', message: 'is no expression and would never hold; allowed: {#...}, true, false' };
}

/** Compiles the selection rule of a plan, which may leave out the braces: `#request.method == 'GET'`. */
export function compileSelectionRule(text: string): Condition | RefusedCondition {
  const written = text.trim();
  return compileCondition(written.startsWith('#') ? `{${written}}` : written);
}

function varying({ needs, evaluate }: VaryingText, readsPath: boolean): Condition {
  const judge = (scope: ExpressionScope): Judgement => {
    const evaluated = evaluate(scope);
    if (evaluated.kind === 'nothing') return 'nothing';
    return evaluated.kind === 'failed' ? evaluated : booleanOf(evaluated.value);
  };
  return {
    needs,
    always: undefined,
    readsPath,
    judge,
    holds(scope) {
      const judged = judge(scope);
      if (typeof judged !== 'object') return judged === true;
      scope.warn('EXPRESSION_EVALUATION_ERROR', judged.why);
      return false;
    },
  };
}

/** What a value says as a boolean, or why it says nothing. */
function booleanOf(value: Parameters<typeof toBoolean>[0]): boolean | FailedRendering {
  if (typeof value === 'boolean') return value;
  try {
    return toBoolean(value);
  } catch (error) {
    return failedOf(error);
  }
}
