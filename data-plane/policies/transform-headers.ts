import { needsOf } from '../../proto/expression/template.ts';
import type { HeaderList } from '../http/exchange.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/**
 * Removes, keeps and sets headers of the request or of the answer, wherever the step stands. A header whose value comes to nothing is left
 * as it is; one that cannot be rendered ends the request, or under engine v3 is left as it is too, as in the reference.
 */
export const transformHeaders: PolicyFactory<'transform-headers'> = (config, { host, place, refuse }) => {
  const removed = config.removeHeaders.map((name) => name.toLowerCase());
  const kept = new Set(config.whitelistHeaders.map((name) => name.toLowerCase()));
  const added = config.addHeaders;
  const broken = refuse('TRANSFORM_HEADERS_FAILURE');
  const needs = needsOf(added.map(({ value }) => value));

  const transform = (headers: HeaderList, call: PolicyCall): Verdict => {
    for (const name of removed) headers.delete(name);
    if (kept.size > 0) headers.keepOnly(kept);
    for (const { name, value } of added) {
      const rendered = value.render(call);
      if (rendered.kind === 'value') headers.set(name, rendered.value);
      else if (rendered.kind === 'failed') {
        call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${rendered.why}`);
        if (!host.leavesBrokenHeaders) return broken;
      }
    }
    return CONTINUE;
  };
  return place.phase === 'request'
    ? { request: { needs, run: (call) => transform(call.request.headers, call) } }
    : { response: { needs, run: (call) => transform(call.response.headers, call) } };
};
