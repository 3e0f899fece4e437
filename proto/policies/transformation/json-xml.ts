import { z } from 'zod';

import { elementName } from './element-name.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

/** Makes XML of JSON. */
export const jsonXml = definePolicy({
  id: 'json-xml',
  title: 'JSON to XML',
  summary: 'Makes XML of a body of JSON.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      rootElement: z
        .string()
        .max(200)
        .regex(elementName, 'is no name of an element: it begins with a letter, a colon or an underscore')
        .default('root')
        .describe('Name of the outermost element.'),
    }),
  errors: {
    JSON_INVALID_PAYLOAD: {
      status: 400,
      answerStatus: 500,
      message: 'The body is no JSON that can be transformed',
    },
  },
  docs: 'Members are elements; a list is its element once for each item, a list in a list an element `array`; `content` is the text of its element; null is the text null, "" an empty element. There is no XML declaration. The body is an object of JSON, whatever Content-Type says. A name that no element can have, and a character that XML cannot have, are refused, so that no caller writes elements of his own. Objects and lists are at most 100 deep, the XML at most 32 Mi characters long. What is empty stays empty.',
  example: () => ({
    about: 'Callers speak JSON, the backend XML.',
    request: [{ policy: 'json-xml', configuration: { rootElement: 'order' } }],
    calls: [
      {
        request: { headers: { 'Content-Type': 'application/json' }, body: '{"id":7,"line":["a","<b>"]}' },
        received: {
          headers: { 'Content-Type': 'application/xml;charset=UTF-8' },
          body: '<order><id>7</id><line>a</line><line>&lt;b&gt;</line></order>',
        },
        answer: { body: 'hello' },
      },
      {
        about: 'A list has no name for its elements.',
        request: { body: '[1]' },
        received: 'nothing',
        answer: { status: 400 },
      },
    ],
  }),
});
