import { z } from 'zod';

import { typedTemplate } from '../expression/template.ts';
import { definePolicy } from './policy-schema.ts';
import { scopeOfVersion2 } from './scope.ts';

/** Sets attributes of the request, which later steps, conditions and expressions read. */
export const assignAttributes = definePolicy({
  id: 'policy-assign-attributes',
  title: 'Assign attributes',
  summary: 'Sets attributes that later steps, conditions and expressions read.',
  category: 'others',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      attributes: z
        .array(z.strictObject({ name: z.string().min(1).max(256), value: typedTemplate(8_192) }))
        .max(100)
        .default([]),
    }),
  errors: {},
  docs: 'Sets them in their order: a later one may read an earlier one as `#context.attributes["name"]`. What an expression comes to keeps its type (a number, a list, an object of a JSON body). One that fails or comes to nothing sets nothing, and the request goes on.',
  example: () => ({
    about: 'What a step has worked out, later ones read.',
    request: [
      {
        policy: 'policy-assign-attributes',
        configuration: {
          attributes: [{ name: 'tenant', value: "{#request.headers['X-Tenant'][0].toLowerCase()}" }],
        },
      },
      {
        policy: 'transform-headers',
        configuration: { addHeaders: [{ name: 'X-Tenant', value: "{#context.attributes['tenant']}" }] },
      },
    ],
    calls: [
      {
        request: { headers: { 'X-Tenant': 'ACME' } },
        received: { headers: { 'X-Tenant': 'acme' } },
        answer: { body: 'hello' },
      },
    ],
  }),
});
