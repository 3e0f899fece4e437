import { TransformFailure } from '../../transform/failure.ts';
import { xmlOfJson } from '../../transform/xml/json-to-xml.ts';
import type { PolicyFactory } from '../policy.ts';
import { attempt, rewriting, textOfBody } from './rewrite.ts';

/** Makes XML of JSON. */
export const jsonXml: PolicyFactory<'json-xml'> = ({ rootElement }, { place, refuse }) =>
  rewriting({
    place,
    refusal: refuse('JSON_INVALID_PAYLOAD'),
    contentType: 'application/xml;charset=UTF-8',
    rewrite: (content, headers) =>
      attempt(() => {
        const text = textOfBody(content, headers);
        if (text === undefined) throw new TransformFailure('is no text');
        return xmlOfJson(text, rootElement);
      }),
  });
