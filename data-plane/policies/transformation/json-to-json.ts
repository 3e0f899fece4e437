import { JoltFailure } from '../../../proto/expression/jolt/jolt.ts';
import type { PolicyFactory } from '../policy.ts';
import { rewriting, textOfBody } from './rewrite.ts';

/** Transforms JSON by a specification of JOLT. */
export const jsonToJson: PolicyFactory<'json-to-json'> = (config, { place, refuse }) =>
  rewriting({
    place,
    refusal: refuse('JSON_INVALID_SPECIFICATION'),
    contentType: config.overrideContentType ? 'application/json' : undefined,
    concerns: (headers) => /json/i.test(headers.get('content-type') ?? ''),
    rewrite(content, headers, call) {
      const specification = config.specification.render(call);
      if (specification.kind !== 'value') {
        const why =
          specification.kind === 'failed' ? specification.why : 'the specification comes to nothing';
        return { kind: 'failed', why };
      }
      const text = textOfBody(content, headers);
      if (text === undefined) return { kind: 'failed', why: 'the body is no text', isBodys: true };
      try {
        return { kind: 'made', content: specification.value.rewrite(text) };
      } catch (error) {
        if (error instanceof JoltFailure)
          return { kind: 'failed', why: `the body ${error.message}`, isBodys: true };
        throw error;
      }
    },
  });
