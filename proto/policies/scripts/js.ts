import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';
import { scopeOfVersion2 } from '../scope.ts';
import { scriptDocs, scriptText } from './script-text.ts';

/** Runs a script of the definition's author. */
export const js = definePolicy({
  id: 'js',
  title: 'JavaScript',
  summary: 'Runs a script that reads and changes the request or the answer, or ends it.',
  category: 'transformation',
  phases: ['request', 'response'],
  config: () =>
    z
      .strictObject({
        script: scriptText,
        readContent: z.boolean().default(false),
        overrideContent: z.boolean().default(false),
        scope: scopeOfVersion2,
      })
      .refine(({ readContent, overrideContent }) => readContent || !overrideContent, {
        path: ['overrideContent'],
        message: 'does nothing without readContent; allowed: false, or readContent true',
      }),
  errors: {
    JS_EXECUTION_FAILURE: { status: 500, message: 'The script cannot be executed' },
    JS_RESULT_FAILURE: { status: 500, message: 'The script has ended the request' },
    JS_NO_CAPACITY: { status: 503, message: 'The gateway is busy with other scripts' },
  },
  answers: true,
  docs: `**Names**: \`request\`, \`response\` (in the response phase), \`context\`, \`result\`, \`State\`, \`Base64\`, \`btoa\`, \`atob\` (both by UTF-8), \`console\` (into the gateway's log where \`policy.js.console\` is on). Everything is a method: \`request.method()\`, \`request.header("X")\`, \`request.headers().set("X", "y").add("X", "z").remove("Y")\`, \`request.parameter("q")\`, \`request.pathParameter("id")\`, \`response.status(201)\`, \`context.set("name", value)\`, \`context.get("name")\`, \`context.properties()["name"]\`, \`context.dictionaries()["dictionary"]["key"]\`. \`response.trailers()\` is not there.

**Body**: with \`readContent\` it is \`request.content()\` or \`response.content()\`, and \`contentAsBase64()\`; with \`overrideContent\` also \`content("text")\` sets it. Where \`readContent\` is on, an answer that is an event stream passes by, and the script does not run.

**End**: \`result.fail(code, error, key, contentType)\` ends the request with this status (200 to 599), message, key for response templates and, if it is given, type of the message; without a key that is \`JS_RESULT_FAILURE\`. \`result.setState(State.FAILURE)\`, \`setCode\`, \`setError\`, \`setKey\`, \`setContentType\` say it one by one.

${scriptDocs}`,
  example: () => ({
    about: 'Callers without a tenant are refused, and the answer gets a field.',
    request: [
      {
        policy: 'js',
        configuration: {
          script:
            "const tenant = request.header('X-Tenant');\nif (tenant === null) result.fail(400, 'Which tenant?', 'NO_TENANT', 'text/plain');\nelse request.headers().set('X-Tenant', tenant.toLowerCase());",
        },
      },
    ],
    response: [
      {
        policy: 'js',
        configuration: {
          readContent: true,
          overrideContent: true,
          script:
            "const body = JSON.parse(response.content());\nbody.stars = '*'.repeat(body.rating);\nresponse.content(JSON.stringify(body));",
        },
      },
    ],
    backend: {
      '/hotels/7': { headers: { 'Content-Type': 'application/json' }, body: '{"rating":3}' },
    },
    calls: [
      {
        request: { path: '/hotels/7', headers: { 'X-Tenant': 'ACME' } },
        received: { headers: { 'X-Tenant': 'acme' } },
        answer: { body: '{"rating":3,"stars":"***"}' },
      },
      { request: { path: '/hotels/7' }, received: 'nothing', answer: { status: 400, body: 'Which tenant?' } },
    ],
  }),
});
