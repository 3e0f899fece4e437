import { z } from 'zod';

import { expressionMessageFor, hasExpression } from '../../expression/find.ts';
import { readJolt } from '../../expression/jolt/jolt.ts';
import { apiLimits } from '../api-limits.ts';
import { headerNameSchema, headersPerPlaceMax, headerValueSchema } from '../head-text.ts';
import { secret } from '../secrets/mark.ts';
import { section } from '../sections.ts';

const bodyCharsMax = 65_536;
const transformationCharsMax = 65_536;

/** Nothing is evaluated where words are fetched: no request is there. */
function plain<Schema extends z.ZodType<string, string>>(schema: Schema) {
  return schema.superRefine((text, context) => {
    if (hasExpression(text)) context.addIssue({ code: 'custom', message: expressionMessageFor(text) });
  });
}

const urlSchema = plain(
  z
    .string()
    .max(apiLimits.targetCharsMax)
    .refine((text) => {
      const url = URL.parse(text);
      return (
        url !== null &&
        ['http:', 'https:'].includes(url.protocol) &&
        url.username === '' &&
        url.password === ''
      );
    }, 'must be an http:// or https:// URL without user information'),
);

/** What a header holds is a secret unless its name says that it is none. */
const mayBeSecret = ({ name }: Readonly<Record<string, unknown>>): boolean =>
  typeof name !== 'string' || !/^(accept(-.*)?|content-type|user-agent)$/i.test(name);

/** What a fetch asks for, in the names of the reference. */
export const fetchFields = {
  url: urlSchema,
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE']).default('GET'),
  headers: z
    .array(section({ name: headerNameSchema, value: secret(plain(headerValueSchema), mayBeSecret) }))
    .max(headersPerPlaceMax)
    .default([]),
  body: plain(z.string().max(bodyCharsMax)).default(''),
};

/** A JOLT specification that makes `[{"key": ..., "value": ...}]` of an answer; without a text the answer is that already. */
export const transformationSchema = z
  .string()
  .max(transformationCharsMax)
  .superRefine((text, context) => {
    const read = readJolt(text);
    if ('run' in read) return;
    for (const message of read) context.addIssue({ code: 'custom', message });
  });

/** Where words are fetched from, and when. */
export interface FetchSource {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: string;
  /** A JOLT specification. */
  readonly transformation: string;
  /** Longest wait for the answer, if shorter than whoever fetches waits. */
  readonly answerMs?: number;
  /** The first moment after the given one, ms since the epoch; undefined when there is none. */
  nextMs(this: void, afterMs: number): number | undefined;
}
