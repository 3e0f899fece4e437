import { z } from 'zod';

import { joltText } from '../../expression/jolt/jolt-text.ts';
import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

/** Transforms JSON by a specification of JOLT. */
export const jsonToJson = definePolicy({
  id: 'json-to-json',
  title: 'JSON to JSON',
  summary: 'Transforms JSON bodies by a specification of JOLT.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      specification: template(joltText).describe('A list of JOLT operations, as JSON.'),
      overrideContentType: z.boolean().default(true).describe('Content-Type becomes `application/json`.'),
    }),
  errors: {
    JSON_INVALID_SPECIFICATION: { status: 500, message: 'The JSON cannot be transformed' },
  },
  docs: 'It is for bodies whose Content-Type says `json`; others pass unread, and what is empty stays empty. [Transformations](../transformations.md) shows what a specification may hold; what it may not is refused when the API is deployed. An expression in it is worked out per request, and what comes out is read then: its braces are `{#...}`, which JSON itself never has. A body that is no JSON, or more than a transformation may work on, ends the request with 500, as the reference has it.',
  example: () => ({
    about: 'Callers speak of clients, the backend of customers.',
    request: [
      {
        policy: 'json-to-json',
        configuration: {
          specification: JSON.stringify([
            { operation: 'shift', spec: { client: { name: 'customer', '*': 'more.&' } } },
            { operation: 'default', spec: { country: 'PL' } },
            { operation: 'modify-overwrite-beta', spec: { customer: '=toUpper' } },
          ]),
        },
      },
    ],
    calls: [
      {
        request: {
          headers: { 'Content-Type': 'application/json' },
          body: '{"client":{"name":"ann","age":41}}',
        },
        received: { body: '{"customer":"ANN","more":{"age":41},"country":"PL"}' },
        answer: { body: 'hello' },
      },
      {
        about: 'What is no JSON is refused.',
        request: { headers: { 'Content-Type': 'application/json' }, body: '{"client":' },
        received: 'nothing',
        answer: { status: 500 },
      },
    ],
  }),
});
