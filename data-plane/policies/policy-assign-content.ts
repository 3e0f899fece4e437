import {
  CONTINUE,
  type PolicyCall,
  type PolicyFactory,
  type PolicyRequest,
  type PolicyResponse,
  type Verdict,
} from './policy.ts';
import { sayReplaced, tellsOfAnother } from './transformation/replaced.ts';

/** Puts what a template makes in the place of the body. */
export const assignContent: PolicyFactory<'policy-assign-content'> = ({ body }, { place, refuse }) => {
  const broken = refuse('ASSIGN_CONTENT_ERROR');
  const { needs } = body;
  const assign = (call: PolicyCall, of: PolicyRequest | PolicyResponse): Verdict => {
    if (needs === 'buffered' && of.content?.length === 0 && tellsOfAnother(call, of)) {
      sayReplaced(of);
      return CONTINUE;
    }
    const encoding = of.headers.get('content-encoding') ?? 'identity';
    if (needs === 'buffered' && encoding !== 'identity' && of.content?.length !== 0) {
      call.warn('ASSIGN_CONTENT_ERROR', `the template reads a body of Content-Encoding ${encoding}`);
      return broken;
    }
    const made = body.render(call);
    if (made.kind !== 'value') {
      call.warn('ASSIGN_CONTENT_ERROR', made.kind === 'failed' ? made.why : 'the template makes nothing');
      return broken;
    }
    of.content = Buffer.from(made.value);
    of.headers.delete('content-encoding');
    sayReplaced(of);
    return CONTINUE;
  };
  return place.phase === 'request'
    ? { request: { needs, run: (call) => assign(call, call.request) } }
    : { response: { needs, run: (call) => assign(call, call.response) } };
};
