import { z } from 'zod';

import type { FaultDetail } from '../../faults/fault.ts';
import { definePolicy } from '../policy-schema.ts';
import { oasCharsMax, type Oas, readOas } from './oas/oas.ts';

/** A document as a text, read; nothing is read outside of it. */
const documentText = z
  .string()
  .max(oasCharsMax)
  .transform((text, context): Oas | undefined => {
    if (text === '') return undefined;
    const read = readOas(text);
    if (read.kind === 'oas') return read.oas;
    for (const { path, message } of read.faults)
      context.issues.push({ code: 'custom', message: `${path} ${message}`.trim(), input: text });
    return z.NEVER;
  });

const parameterPlaces = ['QUERY_PARAMS', 'HEADERS', 'COOKIES'] as const;

/** What of a resource's configuration is no document. */
function faultsOfResource({ content }: Readonly<Record<string, unknown>>): readonly FaultDetail[] {
  const read = readOas(typeof content === 'string' ? content : '');
  return read.kind === 'faults' ? read.faults : [];
}

/** Refuses messages that are not as an OpenAPI document has them. */
export const oasValidation = definePolicy({
  id: 'oas-validation',
  title: 'OpenAPI validation',
  summary: 'Refuses requests and answers that are not as an OpenAPI document describes them.',
  category: 'validation',
  phases: ['request', 'response'],
  uses: [{ field: 'resourceName', serves: 'content', faultsOf: faultsOfResource }],
  config: () =>
    z.strictObject({
      resourceName: z.string().max(256).nullish(),
      sourceJson: documentText.nullish(),
      sourceYaml: documentText.nullish(),
      sourceUrl: z
        .string()
        .max(
          0,
          'is not read by this version: a gateway starts without anybody to ask; write the document into sourceJson, or into a content-provider-inline-resource',
        )
        .nullish()
        .meta({
          isWithoutEffect: true,
          description: 'Not supported: the document stands in the definition, or in a resource.',
        }),
      basePath: z
        .string()
        .max(1_024)
        .regex(/^(?:\/.*)?$/, 'must begin with /')
        .nullish(),
      validationOptions: z
        .strictObject({
          logInsteadOfThrowError: z.boolean().default(false),
          returnDetailedErrorReport: z.boolean().default(true),
          strictOperationPathMatching: z.boolean().default(true),
          validateRequestBody: z.boolean().default(true),
          validateRequestContentType: z.boolean().default(true),
          validateRequestParameters: z.boolean().default(true),
          validateRequestParametersOptions: z
            .array(z.enum(parameterPlaces))
            .max(3)
            .default([...parameterPlaces]),
          validateRequestPathAndMethod: z.boolean().default(true),
          validateRequestQueryParamsUnexpected: z.boolean().default(false),
          validateRequestSecurity: z.boolean().default(false),
          validateResponseBody: z.boolean().default(true),
          validateResponseContentType: z.boolean().default(true),
          validateResponseStatusCode: z.boolean().default(true),
        })
        .prefault({}),
    }),
  errors: {
    OAS_VALIDATION_ERROR: { status: 400, answerStatus: 500, message: 'Bad Request' },
    UNABLE_TO_LOAD_OAS_KEY: { status: 500, message: 'Internal Server Error' },
  },
  faultsIn({ resourceName, sourceJson, sourceYaml }) {
    const sources = [resourceName, sourceJson, sourceYaml].filter(
      (source) => source !== undefined && source !== null && source !== '',
    );
    if (sources.length === 1) return [];
    return [
      sources.length === 0
        ? {
            path: 'resourceName',
            message: 'or sourceJson or sourceYaml is required: the document to hold messages against',
          }
        : {
            path: 'resourceName',
            message: 'must be the only source: one of resourceName, sourceJson and sourceYaml',
          },
    ];
  },
  docs: [
    'The document is OpenAPI 3.0 or 3.1: `sourceJson` or `sourceYaml`, or the `content` of the resource that `resourceName` names. A request is found in it by its method and its path below the context path of the API, or with `basePath` by what stands behind that in the whole path; an answer by its request. Of two templates that fit, the one with more text counts. A step in the request phase judges requests, one in the response phase answers.',
    '**Requests**: path and method, required parameters and the values of all that are described, in the path and wherever `validateRequestParametersOptions` says (a value that is written once is read as a number, `true` or `null` where its schema has such types; lists and objects by `style` and `explode`: `simple`, `form`, `spaceDelimited`, `pipeDelimited`, `deepObject`; other styles are refused at deploy), Content-Type, and bodies of JSON and of `application/x-www-form-urlencoded`; others pass unread. A body where none is described is refused. `validateRequestQueryParamsUnexpected` refuses parameters of the query that are not described, `validateRequestSecurity` requests that show nothing of what `security` asks for (whether it is worth anything, the plan judges).\n\n**Answers**: status, Content-Type, bodies of JSON. A compressed request with such a body is refused; answers are unpacked.',
    '**Refusals**: `OAS_VALIDATION_ERROR`, 400 for requests and 500 for answers, as JSON with `message` and `errors`, or with `returnDetailedErrorReport: false`, and for answers always, as plain text; the record is warned of what was wrong. With `logInsteadOfThrowError` the record is warned and nothing refused.',
    '**Schemas** are those of the version: of draft 04 with the words of OpenAPI in 3.0, of 2020-12 in 3.1. `readOnly` members need not be in requests, `writeOnly` ones not in answers. A keyword that is not known is refused with its place, but for `x-...`; a format that is not known says nothing. References lead within the document, circles too; those that lead out are refused. Patterns are matched in linear time.\n\n**Bounds**: 1048576 characters of JSON, 262144 of YAML, 2000 operations, 200 parameters of one, 20000 schemas; of one message 4 million units of work (some 100 ms), past which it is taken not to fit. The document is checked when the API is deployed; a schema is compiled when the first message is held against it, and where that cannot be, `UNABLE_TO_LOAD_OAS_KEY` is answered.',
  ].join('\n\n'),
  example: () => ({
    about: 'Boats have numbers, and a name when they are entered.',
    request: [
      {
        policy: 'oas-validation',
        configuration: {
          validationOptions: { validateRequestQueryParamsUnexpected: true },
          sourceJson: JSON.stringify({
            openapi: '3.0.3',
            info: { title: 'Boats', version: '1' },
            paths: {
              '/boats/{id}': {
                parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
                get: { responses: { 200: { description: 'A boat' } } },
                put: {
                  requestBody: {
                    required: true,
                    content: { 'application/json': { schema: { $ref: '#/components/schemas/Boat' } } },
                  },
                  responses: { 200: { description: 'Entered' } },
                },
              },
            },
            components: {
              schemas: {
                Boat: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
              },
            },
          }),
        },
      },
    ],
    calls: [
      { request: { path: '/boats/7' }, answer: { body: 'hello' } },
      {
        request: {
          method: 'PUT',
          path: '/boats/7',
          headers: { 'Content-Type': 'application/json' },
          body: '{}',
        },
        received: 'nothing',
        answer: {
          status: 400,
          headers: { 'Content-Type': 'application/json' },
          body: '{"message":"Bad Request","errors":["body: / must have required property \'name\'"]}',
        },
      },
      { request: { path: '/boats/gull' }, received: 'nothing', answer: { status: 400 } },
      { request: { path: '/boats/7?all=1' }, received: 'nothing', answer: { status: 400 } },
      {
        about: 'There are no sails.',
        request: { path: '/sails' },
        received: 'nothing',
        answer: { status: 400 },
      },
    ],
  }),
});
