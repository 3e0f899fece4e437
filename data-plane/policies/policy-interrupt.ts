import { needsOf } from '../../proto/expression/template.ts';
import type { PolicyCall, PolicyFactory, Rejection } from './policy.ts';

/** Ends the request with the error that the definition names. */
export const interrupt: PolicyFactory<'policy-interrupt'> = (config, { place }) => {
  const { errorKey, message, statusCode, variables } = config;
  const needs = needsOf([message, ...variables.map(({ value }) => value)]);
  const run = (call: PolicyCall): Rejection => {
    const parameters = new Map<string, string>();
    for (const { name, value } of variables) {
      const rendered = value.render(call);
      if (rendered.kind === 'value') parameters.set(name, rendered.value);
      else if (rendered.kind === 'failed')
        call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${rendered.why}`);
    }
    const said = message.render(call);
    if (said.kind === 'failed') call.warn('EXPRESSION_EVALUATION_ERROR', `message: ${said.why}`);
    return {
      kind: 'reject',
      key: errorKey,
      status: statusCode,
      message: said.kind === 'value' ? said.value : '',
      parent: undefined,
      parameters,
      headers: [],
    };
  };
  return place.phase === 'request' ? { request: { needs, run } } : { response: { needs, run } };
};
