import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { headerValueSchema } from '../../model/head-text.ts';
import { definePolicy } from '../policy-schema.ts';

/** Longest envelope, in characters. */
const envelopeCharsMax = 256 * 1024;

/** Makes a SOAP request of any request. */
export const restToSoap = definePolicy({
  id: 'rest-to-soap',
  title: 'REST to SOAP',
  summary: 'Makes a SOAP request of any request.',
  category: 'transformation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      envelope: template(z.string().min(1).max(envelopeCharsMax)).describe('The SOAP envelope.'),
      soapAction: headerValueSchema.default('').describe('Header `SOAPAction`, with its quotes.'),
      charset: z
        .string()
        .regex(/^[\w.:+-]{0,40}$/, 'is no name of a charset')
        .default('')
        .describe('Said in Content-Type; the envelope is sent in UTF-8.'),
      preserveQueryParams: z.boolean().default(false).describe('The query goes on to the backend.'),
      stripPath: z.boolean().default(false).describe('The path below the context path does not.'),
    }),
  errors: {
    REST_TO_SOAP_FAILURE: { status: 500, message: 'The envelope cannot be made' },
  },
  faultsIn: ({ charset }) =>
    /^(utf-?8)?$/i.test(charset)
      ? []
      : [{ path: 'charset', message: 'is not supported; the envelope is sent in UTF-8' }],
  docs: 'The envelope becomes the body, the method POST, Content-Type `text/xml`. Values of the request stand in it by expressions, a body by `{#jsonPath(#request.content, "$.name")}`; what a caller sends is written through `#xmlEscape(...)`, so that it stays text. The query goes, unless it is kept; what it was stands in the attribute `rest-to-soap.query-parameters`. An envelope that fails or comes to nothing ends the request with 500. [`xml-json`](xml-json.md) in the response phase makes JSON of the answer.',
  example: () => ({
    about: 'A SOAP service is called by its callers as a REST API.',
    request: [
      {
        policy: 'rest-to-soap',
        configuration: {
          envelope:
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><getPrice><item>{#xmlEscape(#request.params["item"][0])}</item></getPrice></s:Body></s:Envelope>',
          soapAction: '"getPrice"',
        },
      },
    ],
    response: [{ policy: 'xml-json', configuration: {} }],
    backend: {
      '/prices': {
        headers: { 'Content-Type': 'text/xml' },
        body: '<Envelope><Body><price>1.5</price></Body></Envelope>',
      },
    },
    calls: [
      {
        request: { path: '/prices?item=a%3Cb' },
        received: {
          method: 'POST',
          path: '/prices',
          headers: { SOAPAction: '"getPrice"', 'Content-Type': 'text/xml' },
          body: '…<item>a&lt;b</item>…',
        },
        answer: { body: '{"Envelope":{"Body":{"price":1.5}}}' },
      },
    ],
  }),
});
