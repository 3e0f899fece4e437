import { all, type FieldFate, idle, observed } from './field-fate.ts';

const tests = 'data-plane/policies/transformation';

/** Fields of the policies of the family `transformation/`; see `definition-fields.ts`. */
export const transformationFates: readonly (readonly [string, FieldFate])[] = [
  ...['json-to-json', 'xml-json', 'json-xml', 'xslt'].map(
    (id) =>
      [`${id}.scope`, idle('of version 2: where the step stands decides, as in the reference')] as const,
  ),
  ...all('json-to-json.', 'specification overrideContentType', observed(`${tests}/json-to-json.test.ts`)),
  ...all('xslt.', 'stylesheet parameters[].name parameters[].value', observed(`${tests}/xslt.test.ts`)),
  ...all(
    'compression.',
    'algorithms[] level bytesMin mediaTypes[]',
    observed(`${tests}/compression.test.ts`),
  ),
  ['json-xml.rootElement', observed(`${tests}/json-xml.test.ts`)],
  ...all(
    'html-json.',
    'selectors[].jsonName selectors[].selector selectors[].array',
    observed(`${tests}/html-json.test.ts`),
  ),
  ...all(
    'rest-to-soap.',
    'envelope soapAction charset preserveQueryParams stripPath',
    observed(`${tests}/rest-to-soap.test.ts`),
  ),
];
