import { TransformFailure } from '../../transform/failure.ts';
import { jsonOfXml } from '../../transform/xml/xml-to-json.ts';
import type { PolicyFactory } from '../policy.ts';
import { attempt, rewriting, textOfBody } from './rewrite.ts';

/** Makes JSON of XML. */
export const xmlJson: PolicyFactory<'xml-json'> = (_config, { place, refuse }) =>
  rewriting({
    place,
    refusal: refuse('XML_INVALID_PAYLOAD'),
    contentType: 'application/json;charset=UTF-8',
    rewrite: (content, headers) =>
      attempt(() => {
        // An XML declaration may name an encoding too; the header wins (RFC 7303 section 3).
        const text = textOfBody(content, headers);
        if (text === undefined) throw new TransformFailure('is no text');
        return jsonOfXml(text);
      }),
  });
