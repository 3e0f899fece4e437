import { isConstant, needsOf } from '../../proto/expression/template.ts';
import type { Answer, PolicyCall, PolicyFactory, Rejection } from './policy.ts';

/**
 * Answers in place of the backend; an answer that never changes is made once.
 *
 * A header whose value fails or comes to nothing is left out; content that does ends the request with 500, as in the reference. Content whose
 * type no header says is of the type that it looks like.
 */
export const mock: PolicyFactory<'mock'> = ({ status, headers, content }, { refuse }) => {
  const broken = refuse('MOCK_CONTENT_FAILURE');
  const answerTo = (call: PolicyCall): Answer | Rejection => {
    const body = content.render(call);
    if (body.kind !== 'value') {
      call.warn('EXPRESSION_EVALUATION_ERROR', body.kind === 'failed' ? body.why : 'the content is nothing');
      return broken;
    }
    const rendered = headers.flatMap(({ name, value }) => {
      const text = value.render(call);
      return text.kind === 'value' ? [[name, text.value] as const] : [];
    });
    const isTyped = rendered.some(([name]) => name.toLowerCase() === 'content-type');
    const typed = isTyped || body.value === '' ? [] : [['Content-Type', typeOf(body.value)] as const];
    return { kind: 'answer', status: Number(status), headers: [...typed, ...rendered], body: body.value };
  };
  const templates = [content, ...headers.map(({ value }) => value)];
  const needs = needsOf(templates);
  if (!isConstant(templates)) return { request: { needs, run: answerTo } };
  let answer: Answer | Rejection | undefined;
  return { request: { needs, run: (call) => (answer ??= answerTo(call)) } };
};

/** By how it begins, as the reference guesses. */
function typeOf(content: string): string {
  const [first] = content.trimStart();
  return first === '{' || first === '[' ? 'application/json' : first === '<' ? 'text/xml' : 'text/plain';
}
