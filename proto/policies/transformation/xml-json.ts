import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

/** Makes JSON of XML. */
export const xmlJson = definePolicy({
  id: 'xml-json',
  title: 'XML to JSON',
  summary: 'Makes JSON of a body of XML.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () => z.strictObject({ scope: scopeOfVersion2 }),
  errors: {
    XML_INVALID_PAYLOAD: {
      status: 400,
      answerStatus: 500,
      message: 'The body is no XML that can be transformed',
    },
  },
  docs: 'Attributes are members like elements; elements of one name are a list; text beside others stands under `content`, a list where there are several; an element with nothing in it is "". A text that looks like a number, true, false or null is that: whole numbers keep their digits, those that begin with a zero stay texts, others are doubles (1.10 is 1.1). Names keep their prefixes, and declarations of namespaces are members. The Content-Type of what comes is not asked: any body is read, in the charset that it says. A document type is refused, so that nothing is fetched and nothing multiplies. Elements are at most 100 deep, and there are at most 200,000 elements, attributes and texts. What is empty stays empty.',
  example: () => ({
    about: 'A backend that speaks XML gets callers that speak JSON.',
    response: [{ policy: 'xml-json', configuration: {} }],
    backend: {
      '/order': {
        headers: { 'Content-Type': 'text/xml' },
        body: '<order id="7"><line>a</line><line>b</line></order>',
      },
      '/broken': { body: '<order>' },
    },
    calls: [
      {
        request: { path: '/order' },
        answer: {
          headers: { 'Content-Type': 'application/json;charset=UTF-8' },
          body: '{"order":{"id":7,"line":["a","b"]}}',
        },
      },
      { request: { path: '/broken' }, answer: { status: 500 } },
    ],
  }),
});
