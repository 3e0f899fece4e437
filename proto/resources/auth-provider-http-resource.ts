import { z } from 'zod';

import { compileCondition } from '../expression/condition.ts';
import { needsOf, template } from '../expression/template.ts';
import { headerNameSchema, headersPerPlaceMax, headerValueSchema } from '../model/head-text.ts';
import { atDeploy } from '../model/deploy/at-deploy.ts';
import { hasExpression } from '../expression/find.ts';
import { section } from '../model/sections.ts';
import { defineResource } from './resource-schema.ts';

const ofCaller = ['username', 'password'];
const ofAnswer = [...ofCaller, 'authResponse'];

/** An expression that says whether a user is known. */
const condition = z
  .string()
  .max(8_192)
  .meta({ mayHoldExpressions: true })
  .default('{#authResponse.status == 200}')
  .transform((text, context) => {
    const compiled = compileCondition(text.trim() === '' ? 'false' : text, ofAnswer);
    if (!('kind' in compiled)) return compiled;
    context.addIssue({ code: 'custom', message: compiled.message });
    return z.NEVER;
  });

/** A server that is asked about users. */
export const authProviderHttp = defineResource({
  id: 'auth-provider-http-resource',
  title: 'Users of an HTTP server',
  summary: 'Asks an HTTP server whether a user and his password belong together.',
  serves: ['authentication'],
  config: () =>
    section({
      method: z.enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']).default('POST'),
      url: atDeploy(
        z
          .string()
          .max(2_048)
          .refine(
            (text) => hasExpression(text) || isPlainUrl(text),
            'must be an http or https URL without user and password',
          ),
      ),
      /** The way of all calls of the gateway (`outbound.proxy`), whatever stands here. */
      useSystemProxy: z.boolean().default(false),
      headers: z
        .array(section({ name: headerNameSchema, value: template(headerValueSchema, ofCaller).prefault('') }))
        .max(headersPerPlaceMax)
        .default([]),
      body: template(z.string().max(65_536), ofCaller).prefault(''),
      condition,
    }).superRefine(({ headers, body, condition: asked }, context) => {
      const say = (...path: readonly (string | number)[]): void =>
        context.addIssue({
          code: 'custom',
          path: [...path],
          message: 'must not read the body of the request',
        });
      for (const [index, { value }] of headers.entries())
        if (needsOf([value]) === 'buffered') say('headers', index, 'value');
      if (needsOf([body]) === 'buffered') say('body');
      if (asked.needs === 'buffered') say('condition');
    }),
  docs: 'Calls `url` with `headers` and `body`, whose expressions know `#username` and `#password` beside the request, and asks `condition`, which knows `#authResponse` too: `status`, `headers` (names in lower case), `content`. The user is known where it holds. No answer within 30 s, or one of more than 256 KiB, is an outage: nobody is let in, and nobody is told that his password is wrong. A server that has said nothing for 30 s is asked ten times a second until it is heard, and who else asks is told at once. A text that goes into a URL or JSON has to be escaped by the expression. It calls by the one client for calls of definitions (`upstream.allow` and `deny`, `outbound.proxy`, `outbound.caFile`: the reference trusts anybody); redirects are not followed, and at most 1,000 callers wait for it.',
});

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  );
}
