import { z } from 'zod';

import { template } from '../expression/template.ts';
import { headerNameSchema, headersPerPlaceMax, headerValueSchema } from '../model/head-text.ts';

/** Framing of a connection, which its client regenerates. */
const ofTheConnection =
  /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|expect)$/i;

/** URLs that policies call. */
export const calledUrlCharsMax = 8_192;

/** Who is asked: a URL, or expressions that give one. */
export const calledUrl = () =>
  template(z.string().min(1).max(calledUrlCharsMax)).refine(
    (url) => url.kind !== 'constant' || isCalledUrl(url.value),
    'must be an http:// or https:// URL, or hold an expression that gives one',
  );

const isCalledUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** The method by which a backend or another server is asked. */
export const calledMethod = () =>
  z
    .enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'CONNECT', 'OPTIONS', 'TRACE'])
    .refine(
      (method) => method !== 'CONNECT',
      'must not be CONNECT: it asks for a tunnel, which has no answer',
    )
    .default('GET');

/** Headers of a call that a policy makes; a value may hold an expression. */
export const calledHeaders = z
  .array(
    z.strictObject({
      name: headerNameSchema.refine(
        (name) => !ofTheConnection.test(name),
        'is regenerated for each connection; leave it out',
      ),
      value: template(headerValueSchema).prefault(''),
    }),
  )
  .max(headersPerPlaceMax)
  .prefault([]);
