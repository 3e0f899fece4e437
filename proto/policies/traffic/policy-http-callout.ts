import { z } from 'zod';

import { template, typedTemplate } from '../../expression/template.ts';
import { conditionField } from '../answer-condition.ts';
import { calledHeaders, calledMethod, calledUrl } from '../callout-fields.ts';
import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';

const textCharsMax = 64 * 1024;
const variablesMax = 100;
const connectionsMax = 1_000;
const places = ['calloutResponse'];

const field = "{#jsonPath(#calloutResponse.content, '$.field')}";
const isBad = '{#calloutResponse.status >= 400 and #calloutResponse.status <= 599}';

/** Asks another server, and goes on with what it says. */
export const httpCallout = definePolicy({
  id: 'policy-http-callout',
  title: 'HTTP callout',
  summary: 'Asks another server, and keeps what it says in attributes.',
  category: 'traffic',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      scope: scopeOfVersion2,
      method: calledMethod(),
      url: calledUrl(),
      headers: calledHeaders,
      body: template(z.string().max(textCharsMax)).prefault(''),
      /** The way of all calls of the gateway (`outbound.proxy`), whatever stands here. */
      useSystemProxy: z.boolean().default(false),
      fireAndForget: z.boolean().default(false),
      variables: z
        .array(
          z.strictObject({
            name: z.string().min(1).max(256),
            value: typedTemplate(textCharsMax, places).prefault(field),
            evaluateAsString: z.boolean().default(true),
          }),
        )
        .max(variablesMax)
        .prefault([]),
      exitOnError: z.boolean().default(false),
      errorCondition: conditionField(places).prefault(isBad),
      errorStatusCode: z
        .union([z.string(), z.number()])
        .default('500')
        .refine((status) => /^[2-5]\d\d$/.test(String(status)), 'must be a status from 200 to 599')
        .transform(Number),
      errorContent: template(z.string().max(textCharsMax), places).prefault(''),
      http: z
        .strictObject({
          /** Calls of the step that run at once, in each process. */
          maxConcurrentConnections: z.int().min(1).max(connectionsMax).default(20),
        })
        .prefault({}),
    }),
  errors: {
    CALLOUT_EXIT_ON_ERROR: { status: 500, message: 'A server that was asked refused' },
    CALLOUT_HTTP_ERROR: { status: 500, message: 'A server that had to be asked did not answer' },
  },
  docs: [
    'Sends a request of its own and waits for the answer. Then each of `variables` becomes an attribute: `#calloutResponse` has `status`, `headers`, `content`, `jsonContent` and `xmlContent`. A value that fails or comes to nothing takes the attribute away; without `evaluateAsString` a value keeps its type.',
    '**Errors**: with `exitOnError` an answer of which `errorCondition` holds (default: 400 to 599) ends the request with `errorStatusCode` and the text of `errorContent`, key CALLOUT_EXIT_ON_ERROR. A server that does not answer, and a URL that fails, end it with CALLOUT_HTTP_ERROR: 500, or with `exitOnError` `errorStatusCode` and `errorContent`.',
    '**`fireAndForget`** waits for nothing: no variables, no errors; what fails is a warning of the record while the request is still on its way.',
    "**Where to**: what endpoints may lead to (`upstream.allow`, `upstream.deny` of the gateway), judged by the address that is dialled, in any of its spellings; never to the gateway's own node API. What a request brings into `url` chooses path and query, not the host (`docs/expressions.md`, `upstream.chosenByRequests`). Redirects are answers and are not followed. Certificates are verified (the reference trusts all). A header that fails or comes to nothing is left out, a body is empty (the reference sends the text of the expression).",
    'A call takes 10 s at most. `http.maxConcurrentConnections` of a step run at once in each process; 1000 more wait, at most 10 s, and then did not answer. An answer is at most `request.bufferedBytesMax` of the gateway long.',
  ].join('\n\n'),
  example: () => ({
    about: 'Another service knows what a customer may do.',
    request: [
      {
        policy: 'policy-http-callout',
        configuration: {
          method: 'GET',
          url: "http://backend.example:8080/customers/{#request.headers['X-Customer'][0]}",
          variables: [{ name: 'tier', value: "{#jsonPath(#calloutResponse.content, '$.tier')}" }],
          exitOnError: true,
          errorStatusCode: '403',
          errorContent: 'No such customer',
        },
      },
      {
        policy: 'transform-headers',
        configuration: { addHeaders: [{ name: 'X-Tier', value: "{#context.attributes['tier']}" }] },
      },
    ],
    backend: {
      '/customers/acme': { headers: { 'Content-Type': 'application/json' }, body: '{"tier":"gold"}' },
      '/customers/nobody': { status: 404, body: 'none' },
    },
    calls: [
      {
        request: { path: '/orders', headers: { 'X-Customer': 'acme' } },
        received: { path: '/orders', headers: { 'X-Tier': 'gold' } },
        answer: { body: 'hello' },
      },
      {
        request: { path: '/orders', headers: { 'X-Customer': 'nobody' } },
        received: { path: '/customers/nobody' },
        answer: { status: 403, body: '…No such customer…' },
      },
    ],
  }),
});
