import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { schemaFaults } from '../../expression/xml/xsd.ts';
import { definePolicy } from '../policy-schema.ts';

/** Longest schema, in characters. */
const schemaCharsMax = 262_144;

const example =
  '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence><xs:element name="pieces" type="xs:positiveInteger"/></xs:sequence></xs:complexType></xs:element></xs:schema>';

/** Refuses bodies that do not fit a schema. */
export const xmlValidation = definePolicy({
  id: 'xml-validation',
  title: 'XML validation',
  summary: 'Refuses bodies of requests that do not fit an XML Schema.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      errorMessage: template(z.string().max(8_192)).nullish(),
      xsdSchema: z
        .string()
        .min(1)
        .max(schemaCharsMax)
        .superRefine((text, context) => {
          for (const message of schemaFaults(text)) context.addIssue({ code: 'custom', message });
        }),
    }),
  errors: {
    XML_VALIDATION_FAILED: { status: 400, message: 'Bad Request' },
    XML_VALIDATION_UNAVAILABLE: { status: 503, message: 'The body cannot be validated at the moment' },
  },
  docs: [
    'The body is read whole and held against `xsdSchema`, a schema of XSD 1.0, whatever its Content-Type says; one that is absent or empty passes. What does not fit, or is no XML, is refused with 400 in the words of `errorMessage`, else `Bad Request`, as `application/xml`; the record is warned of what does not fit. The keys are ours: the reference has none.',
    'It is read in the encoding that its Content-Type says, else in the one that it says itself. A document type is refused; nothing is fetched, neither for the body nor for the schema: `xs:include`, `xs:import` and `xs:redefine` with a `schemaLocation` are refused when the API is deployed, as are names that the schema does not have and what is of XSD 1.1, each with its line. What is wrong with a schema beyond that shows with the first body: it refuses each, as in the reference, and the record says why.',
    '**Bounds**: a schema of 262144 characters; validations run in a thread of their own, one after another: one may take 1 s of a core and 128 MiB of memory, past which the body is refused. At most 100 wait for it, and at most 5 s: then the answer is 503.',
  ].join('\n\n'),
  example: () => ({
    about: 'Orders have pieces, at least one.',
    request: [
      { policy: 'xml-validation', configuration: { errorMessage: '<no-order/>', xsdSchema: example } },
    ],
    calls: [
      {
        request: { body: '<order><pieces>2</pieces></order>' },
        received: { body: '<order><pieces>2</pieces></order>' },
        answer: { body: 'hello' },
      },
      {
        request: { body: '<order><pieces>0</pieces></order>' },
        received: 'nothing',
        answer: { status: 400, headers: { 'Content-Type': 'application/xml' }, body: '<no-order/>' },
      },
      { request: { body: 'two pieces' }, received: 'nothing', answer: { status: 400 } },
    ],
  }),
});
