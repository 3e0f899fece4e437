import { z } from 'zod';

import { apiLimits } from '../api-limits.ts';
import {
  headerNameSchema,
  headersPerPlaceMax,
  headerValueCharsMax,
  headerValueSchema,
} from '../head-text.ts';
import { section, withExpressions } from '../sections.ts';

/** A target as it is called. */
export const targetSchema = z
  .string()
  .max(apiLimits.targetCharsMax)
  .refine((target) => {
    const url = URL.canParse(target) ? new URL(target) : undefined;
    return (
      url !== undefined &&
      /^(?:https?|grpcs?):$/.test(url.protocol) &&
      url.host !== '' &&
      url.username === '' &&
      url.password === '' &&
      url.hash === ''
    );
  }, 'must be an http://, https://, grpc:// or grpcs:// URL without user information and fragment');

/** Headers that a definition sets on what is sent to an endpoint. */
export const endpointHeadersSchema = z
  .array(
    section({
      name: headerNameSchema,
      value: withExpressions(headerValueSchema, { charsMax: headerValueCharsMax, readsBody: false }),
    }),
  )
  .max(headersPerPlaceMax)
  .default([]);
