import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';
import { compileSchema, type JsonJudge, schemaCharsMax } from './json-schema/compile.ts';

/** A schema as a text, compiled; nothing is read outside of it. */
const schemaText = z
  .string()
  .min(1)
  .max(schemaCharsMax)
  .transform((text, context): JsonJudge => {
    const compiled = compileSchema(text);
    if (compiled.kind === 'schema') return compiled.judge;
    for (const { path, message } of compiled.faults)
      context.issues.push({
        code: 'custom',
        message: path === '' ? message : `${path} ${message}`,
        input: text,
      });
    return z.NEVER;
  });

const registry = z.literal('STATIC_SCHEMA', {
  error: 'must be STATIC_SCHEMA: there are no schema registries here; write the schema into staticSchema',
});

/** Refuses bodies that do not fit a schema. */
export const jsonValidation = definePolicy({
  id: 'json-validation',
  title: 'JSON validation',
  summary: 'Refuses bodies of requests and answers that do not fit a JSON Schema.',
  category: 'validation',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      errorMessage: template(z.string().max(8_192)).nullish(),
      schema: schemaText.nullish(),
      schemaSource: z.strictObject({ sourceType: registry, staticSchema: schemaText }).nullish(),
      validateUnchecked: z.boolean().default(false),
      deepCheck: z.boolean().default(false),
      straightRespondMode: z.boolean().default(false),
      returnDetailedErrorReport: z.boolean().default(false),
      nativeErrorHandling: z
        .strictObject({}, { error: 'belongs to APIs of Kafka, which this version does not run; take it out' })
        .optional(),
    }),
  errors: {
    JSON_INVALID_PAYLOAD: { status: 400, message: 'Bad Request' },
    JSON_INVALID_FORMAT: { status: 400, message: 'Bad Request' },
    JSON_INVALID_RESPONSE_PAYLOAD: { status: 500, message: 'Internal Error' },
    JSON_INVALID_RESPONSE_FORMAT: { status: 500, message: 'Internal Error' },
  },
  faultsIn({ schema, schemaSource, straightRespondMode }, phase) {
    const isTwice = Boolean(schema) && Boolean(schemaSource);
    return [
      ...(schema || schemaSource
        ? []
        : [{ path: 'schemaSource', message: 'is required: the schema to hold bodies against' }]),
      ...(isTwice
        ? [{ path: 'schema', message: 'is said in schemaSource as well; take one of them out' }]
        : []),
      ...(straightRespondMode && phase === 'request'
        ? [
            {
              path: 'straightRespondMode',
              message: 'is for answers; of a request take it out, or give the step a condition',
            },
          ]
        : []),
    ];
  },
  docs: [
    'The body is read whole and held against the schema (`schema`, or `schemaSource.staticSchema`), whatever its Content-Type says; one that is absent or empty passes. What does not fit is refused: a request with 400, an answer with 500, in the words of `errorMessage`, else `Bad Request` or `Internal Error`, as `text/plain`. The record is warned of what does not fit, and with `returnDetailedErrorReport` the caller is told as well, as JSON. With `straightRespondMode` an answer goes out all the same, and only the record is warned.',
    '**A name twice** in one object is no fault of a schema: the last of them is held against it, while a backend may read the first. `json-threat-protection` in front refuses it (`preventDuplicateKey`).',
    '**Schemas** of the drafts 04, 06 and 07, 2019-09 and 2020-12, by their `$schema`; without one of draft-07, or of draft-04 where it has an `id` or an `exclusiveMinimum` that is true or false. Draft 03 is refused. What is written beside `$ref` counts in every draft. Formats are asserted. A keyword or format that is not known is refused, with its place; what is meant for people may be called `x-...`. Nothing outside of a schema is read: a reference to another file or address is refused. Patterns are matched in linear time; looking around and references back are refused.',
    '**Bounds**: a schema of 262144 characters, 5000 subschemas, 64 levels; of one validation 4 million units of work (some 100 ms; about one for each keyword that is asked of each value), past which a body is taken not to fit. A text of more than 1024 characters fits no format but `byte`, `binary` and `password`. `validateUnchecked` and `deepCheck` are of the library of the reference, and change nothing.',
  ].join('\n\n'),
  example: () => ({
    about: 'Orders have pieces, at least one.',
    request: [
      {
        policy: 'json-validation',
        configuration: {
          errorMessage: 'This is no order',
          schema: JSON.stringify({
            type: 'object',
            properties: { pieces: { type: 'integer', minimum: 1 } },
            required: ['pieces'],
          }),
        },
      },
    ],
    calls: [
      { request: { body: '{"pieces":2}' }, received: { body: '{"pieces":2}' }, answer: { body: 'hello' } },
      {
        request: { body: '{"pieces":0}' },
        received: 'nothing',
        answer: { status: 400, headers: { 'Content-Type': 'text/plain' }, body: 'This is no order' },
      },
      { request: { body: 'two pieces' }, received: 'nothing', answer: { status: 400 } },
    ],
  }),
});
