import { stylesheetFaults } from '../../../proto/expression/xml/stylesheet.ts';
import { TransformFailure } from '../../transform/failure.ts';
import { transformXml } from '../../transform/xslt/xslt.ts';
import type { PolicyCall, PolicyFactory } from '../policy.ts';
import { rewriting, textOfBody } from './rewrite.ts';

/** Transforms XML by a stylesheet. */
export const xslt: PolicyFactory<'xslt'> = ({ stylesheet, parameters }, { place, refuse }) => {
  /** Works out what may differ per request; what is said of it is why it cannot be. */
  const prepared = (call: PolicyCall) => {
    const sheet = stylesheet.render(call);
    if (sheet.kind !== 'value')
      throw new TransformFailure(sheet.kind === 'failed' ? sheet.why : 'the stylesheet comes to nothing');
    const [fault] = stylesheet.kind === 'constant' ? [] : stylesheetFaults(sheet.value);
    if (fault !== undefined) throw new TransformFailure(`the stylesheet: ${fault}`);
    const values = parameters.flatMap(({ name, value }): readonly (readonly [string, string])[] => {
      const made = value.render(call);
      if (made.kind === 'failed') throw new TransformFailure(`parameter ${name}: ${made.why}`);
      // Without a value the stylesheet's own default counts.
      return made.kind === 'value' ? [[name, made.value]] : [];
    });
    return { stylesheet: sheet.value, parameters: values };
  };
  return rewriting({
    place,
    refusal: refuse('XSLT_TRANSFORMATION_FAILURE'),
    contentType: 'application/xml',
    async rewrite(content, headers, call) {
      try {
        const xml = textOfBody(content, headers);
        if (xml === undefined) throw new TransformFailure('the body is no text');
        // It is text by now: whatever encoding its declaration names, it is not the one that is read.
        const plain = xml.replace(/^\uFEFF?<\?xml [^>]*\?>/, '');
        const made = await transformXml({ ...prepared(call), xml: plain }, call.over);
        return made === undefined ? { kind: 'gone' } : { kind: 'made', content: made };
      } catch (error) {
        if (error instanceof TransformFailure) return { kind: 'failed', why: error.message };
        throw error;
      }
    },
  });
};
