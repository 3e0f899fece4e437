import { needsOf } from '../../proto/expression/template.ts';
import type { HeaderList } from '../http/exchange.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type Verdict } from './policy.ts';

/**
 * Sets, appends, removes and keeps headers of the request or of the answer, wherever the step stands. A header whose value comes to nothing is
 * left as it is; one that cannot be rendered ends the request. Under engine v3 it is left as it is too, and what is removed is removed before
 * anything is set, as in the reference.
 */
export const transformHeaders: PolicyFactory<'transform-headers'> = (config, { host, place, refuse }) => {
  const removed = config.removeHeaders.map((name) => name.toLowerCase());
  const kept = new Set(config.whitelistHeaders.map((name) => name.toLowerCase()));
  const written = [
    ...config.addHeaders.map((header) => ({ ...header, replaces: true })),
    ...config.appendHeaders.map((header) => ({ ...header, replaces: false })),
  ];
  const broken = refuse('TRANSFORM_HEADERS_FAILURE');
  const needs = needsOf(written.map(({ value }) => value));

  const takeAway = (headers: HeaderList): void => {
    for (const name of removed) headers.delete(name);
    if (kept.size > 0) headers.keepOnly(kept);
  };
  const transform = (headers: HeaderList, call: PolicyCall): Verdict => {
    if (host.removesHeadersFirst) takeAway(headers);
    for (const { name, value, replaces } of written) {
      const rendered = value.render(call);
      if (rendered.kind === 'value') {
        if (replaces) headers.set(name, rendered.value);
        else headers.append(name, rendered.value);
      } else if (rendered.kind === 'failed') {
        call.warn('EXPRESSION_EVALUATION_ERROR', `${name}: ${rendered.why}`);
        if (!host.leavesBrokenHeaders) return broken;
      }
    }
    if (!host.removesHeadersFirst) takeAway(headers);
    return CONTINUE;
  };
  return place.phase === 'request'
    ? { request: { needs, run: (call) => transform(call.request.headers, call) } }
    : { response: { needs, run: (call) => transform(call.response.headers, call) } };
};
