import type { ExpressionScope } from '../../proto/expression/scope.ts';
import { isConstant, needsOf } from '../../proto/expression/template.ts';
import type { Answer, PolicyFactory } from './policy.ts';

/**
 * Answers in place of the backend; an answer that never changes is made once.
 *
 * A header whose value fails or comes to nothing is left out; content that does is a broken step, as in the reference.
 */
export const mock: PolicyFactory<'mock'> = ({ status, headers, content }) => {
  const answerTo = (scope: ExpressionScope): Answer => {
    const body = content.render(scope);
    if (body.kind !== 'value') throw new Error(`the content of the mock cannot be rendered: ${body.kind}`);
    const rendered = headers.flatMap(({ name, value }) => {
      const text = value.render(scope);
      return text.kind === 'value' ? [[name, text.value] as const] : [];
    });
    return { kind: 'answer', status: Number(status), headers: rendered, body: body.value };
  };
  const templates = [content, ...headers.map(({ value }) => value)];
  const needs = needsOf(templates);
  if (!isConstant(templates)) return { request: { needs, run: answerTo } };
  let answer: Answer | undefined;
  return { request: { needs, run: (call) => (answer ??= answerTo(call)) } };
};
