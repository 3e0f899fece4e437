import { z } from 'zod';

import { apiLimits } from './api-limits.ts';
import {
  headerNameSchema,
  headersPerPlaceMax,
  headerValueCharsMax,
  headerValueSchema,
  mediaRangeSchema,
} from './head-text.ts';
import { section, withExpressions } from './sections.ts';

/** What the expressions of a template know beside the request. */
export const errorPlaces: readonly string[] = ['error', 'parameters'];
const ofErrors = { places: errorPlaces, readsBody: true } as const;

/** Says whether a map has no more entries than that. */
export const sizeAtMost = (max: number) => (record: Readonly<Record<string, unknown>>) =>
  Object.keys(record).length <= max;

const templateSchema = section({
  status: z.int().min(apiLimits.templateStatusMin).max(599).optional(),
  statusCode: z.int().min(apiLimits.templateStatusMin).max(599).optional(),
  headers: z
    .record(
      headerNameSchema,
      withExpressions(headerValueSchema, { charsMax: headerValueCharsMax, ...ofErrors }),
    )
    .refine(sizeAtMost(headersPerPlaceMax), `at most ${headersPerPlaceMax} headers`)
    .default({}),
  body: withExpressions(z.string().max(apiLimits.templateBodyCharsMax), {
    charsMax: apiLimits.templateBodyCharsMax,
    ...ofErrors,
  }).default(''),
  propagateErrorKeyToLogs: z.boolean().default(false),
}).transform(({ statusCode, ...template }) => ({ ...template, status: template.status ?? statusCode }));

/** What is answered in place of an error's own words; without a status the error's status stays. */
export type ResponseTemplate = z.output<typeof templateSchema>;

/** Templates by error key, then by content type; `DEFAULT` and the any-type stand for the rest. */
export const responseTemplatesSchema = z
  .record(
    z.string().min(1).max(128),
    z
      .record(mediaRangeSchema, templateSchema)
      .refine(
        sizeAtMost(apiLimits.templatesPerKeyMax),
        `at most ${apiLimits.templatesPerKeyMax} content types`,
      ),
  )
  .refine(sizeAtMost(apiLimits.templateKeysMax), `at most ${apiLimits.templateKeysMax} keys`)
  .default({});
