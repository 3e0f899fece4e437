import { amongMany, asJson, failing, type KeyRow, type RowStep, step } from './row.ts';

const phases = ['request', 'response'] as const;
type Phase = (typeof phases)[number];

/** A body in one phase, by one step. */
// oxlint-disable-next-line max-params -- a row of a table
const body = (
  [policy, configuration]: RowStep,
  key: string,
  said: {
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly path?: string;
  },
  phase: Phase = 'request',
): KeyRow => ({
  policy,
  key,
  phase,
  steps: [[policy, configuration]],
  ...(phase === 'request' ? { call: { method: 'POST', ...said } } : { backend: said }),
});
const both = (step: RowStep, key: string, said: Parameters<typeof body>[2]): readonly KeyRow[] =>
  phases.map((phase) => body(step, key, said, phase));

const broken = { body: '{', headers: asJson };
const wrong = { body: '{"a":1}', headers: asJson };
const schema = { schema: '{"required":["b"]}' };
const document = {
  openapi: '3.0.3',
  info: { title: 'Boats', version: '1' },
  paths: { '/boats': { get: { responses: { 200: { description: 'Boats' } } } } },
};
const wide = { allOf: Array.from({ length: 4_000 }, () => ({ minimum: 1 })) };
const simple = (of: string): string =>
  `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="${of}"/></xs:restriction></xs:simpleType></xs:element></xs:schema>`;
const nothing = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>';
const scripted = (policy: 'js' | 'javascript', prefix: string): readonly KeyRow[] => [
  step(policy, `${prefix}_EXECUTION_FAILURE`, { script: 'nobody.there' }),
  step(policy, `${prefix}_RESULT_FAILURE`, {
    script: policy === 'js' ? "result.fail(500, 'x')" : "result.state = State.FAILURE; result.error = 'x';",
  }),
  step(
    policy,
    `${prefix}_NO_CAPACITY`,
    { script: 'for (;;);' },
    { gateway: 'one thread', raise: amongMany(20) },
  ),
];
const prompt = (key: string, configuration: object, said: string): KeyRow =>
  body(
    [
      'ai-prompt-guard-rails',
      { requestPolicy: 'BLOCK_REQUEST', rules: { words: ['falcon'] }, ...configuration },
    ],
    key,
    { body: said, headers: asJson },
  );
const personal = (configuration: object = {}): RowStep => [
  'pii-filtering',
  { categories: ['EMAIL'], ...configuration },
];

/** Keys of what reads and writes bodies. */
export const contentRows: readonly KeyRow[] = [
  step('transform-headers', 'TRANSFORM_HEADERS_FAILURE', { addHeaders: [{ name: 'X-A', value: failing }] }),
  step('policy-assign-content', 'ASSIGN_CONTENT_ERROR', { body: "${request.headers['X-Nobody'][0]}" }),
  step(
    'url-rewriting',
    'URL_REWRITING_FAILURE',
    { fromRegex: 'hello', toReplacement: failing },
    { phase: 'response' },
  ),
  ...phases.map((phase) =>
    body(['json-to-json', { specification: '[]' }], 'JSON_INVALID_SPECIFICATION', broken, phase),
  ),
  body(['json-validation', schema], 'JSON_INVALID_PAYLOAD', wrong),
  body(['json-validation', schema], 'JSON_INVALID_FORMAT', broken),
  body(['json-validation', schema], 'JSON_INVALID_RESPONSE_PAYLOAD', wrong, 'response'),
  body(['json-validation', schema], 'JSON_INVALID_RESPONSE_FORMAT', broken, 'response'),
  ...phases.map((phase) => ({
    ...body(
      ['oas-validation', { sourceJson: JSON.stringify(document) }],
      'OAS_VALIDATION_ERROR',
      { body: 'x', headers: { 'Content-Type': 'text/plain' } },
      phase,
    ),
    ...(phase === 'response' && { call: { path: '/boats' }, backend: { status: 418 } }),
  })),
  step(
    'oas-validation',
    'UNABLE_TO_LOAD_OAS_KEY',
    {
      sourceJson: JSON.stringify({
        ...document,
        paths: {
          '/boats': {
            get: {
              parameters: [{ name: 'n', in: 'query', schema: wide }],
              responses: { 200: { description: 'Boats' } },
            },
          },
        },
      }),
    },
    { call: { path: '/boats?n=1' } },
  ),
  body(['xml-validation', { xsdSchema: simple('b') }], 'XML_VALIDATION_FAILED', { body: '<a>c</a>' }),
  {
    // Each takes as long as one may, and a hundred wait.
    ...body(['xml-validation', { xsdSchema: simple('(a|a|aa)*(a|aa)*b') }], 'XML_VALIDATION_UNAVAILABLE', {
      body: `<a>${'a'.repeat(5_000)}c</a>`,
    }),
    raise: amongMany(110),
  },
  step('policy-request-validation', 'REQUEST_VALIDATION_INVALID', {
    rules: [{ input: "{#request.headers['X-Nobody']}", isRequired: true, constraint: { type: 'NOT_NULL' } }],
  }),
  body(
    ['html-json', { selectors: [{ jsonName: 'a', selector: 'p' }] }],
    'HTML_INVALID_PAYLOAD',
    { body: '<p>', headers: { 'Content-Type': 'text/html; charset=nobodys' } },
    'response',
  ),
  ...both(['json-xml', {}], 'JSON_INVALID_PAYLOAD', broken),
  ...both(['xml-json', {}], 'XML_INVALID_PAYLOAD', { body: '<a>' }),
  step('rest-to-soap', 'REST_TO_SOAP_FAILURE', { envelope: failing }),
  ...both(['xslt', { stylesheet: nothing }], 'XSLT_TRANSFORMATION_FAILURE', { body: '<a>' }),
  ...scripted('js', 'JS'),
  ...scripted('javascript', 'JAVASCRIPT'),
  prompt('AI_PROMPT_GUARD_RAILS_BLOCKED', {}, '{"messages":[{"role":"user","content":"a falcon"}]}'),
  prompt('AI_PROMPT_GUARD_RAILS_UNREADABLE', {}, '{"a":1,"a":2}'),
  prompt('UNEXPECTED_ERROR', { promptLocation: "{#jsonPath(#request.content, '$.a')}" }, 'no JSON'),
  ...both(personal({ action: 'BLOCK' }), 'PII_FILTERING_DETECTED', {
    body: '{"a":"ann@example.com"}',
    headers: asJson,
  }),
  body(personal(), 'PII_FILTERING_STREAMING', { body: '{"stream":true}', headers: asJson }),
  body(
    personal(),
    'PII_FILTERING_STREAMING',
    { body: 'data: 1\n\n', headers: { 'Content-Type': 'text/event-stream' } },
    'response',
  ),
  ...both(personal(), 'PII_FILTERING_UNREADABLE', {
    body: 'x',
    headers: { 'Content-Type': 'text/plain; charset=nobodys' },
  }),
];
