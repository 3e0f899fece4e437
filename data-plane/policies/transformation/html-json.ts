import { Fault } from '../../../proto/faults/fault.ts';
import { TransformFailure } from '../../transform/failure.ts';
import { pageOf, type Selector, selectorOf, textReader } from '../../transform/html/select.ts';
import type { PolicyFactory } from '../policy.ts';
import { attempt, rewriting, textOfBody } from './rewrite.ts';

/** Makes JSON of what selectors find in a page. */
export const htmlJson: PolicyFactory<'html-json'> = ({ selectors }, { place, refuse }) => {
  const values = selectors.map(({ jsonName, selector, array }, index) => ({
    name: jsonName,
    array,
    select: readSelector(selector, `${place.at}.configuration.selectors[${index}].selector`),
  }));
  return rewriting({
    place,
    refusal: refuse('HTML_INVALID_PAYLOAD'),
    contentType: 'application/json; charset=UTF-8',
    rewrite: (content, headers) =>
      attempt(() => {
        const html = textOfBody(content, headers);
        if (html === undefined) throw new TransformFailure('is no text');
        const page = pageOf(html);
        const shownText = textReader();
        const members = values.map(({ name, array, select }) => {
          const texts = select(page).map(shownText);
          return `${JSON.stringify(name)}:${JSON.stringify(array ? texts : texts.join(' '))}`;
        });
        return `{${members.join(',')}}`;
      }),
  });
};

function readSelector(written: string, at: string): Selector {
  try {
    return selectorOf(written);
  } catch (error) {
    if (!(error instanceof TransformFailure)) throw error;
    throw new Fault('request.invalid', {
      details: [{ path: at, message: `is no selector of CSS: ${error.message}` }],
    });
  }
}
