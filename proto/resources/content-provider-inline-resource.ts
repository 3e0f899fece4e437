import { z } from 'zod';

import { section } from '../model/sections.ts';
import { defineResource } from './resource-schema.ts';

/** Longest content, in characters. */
const contentCharsMax = 1_048_576;

/** A text that is written down in the definition. */
export const contentProviderInline = defineResource({
  id: 'content-provider-inline-resource',
  title: 'Text of the definition',
  summary: 'Holds a text, which steps read.',
  serves: ['content'],
  config: () =>
    section({
      content: z.string().min(1, 'is required').max(contentCharsMax),
      attributes: z
        .array(section({ key: z.string().max(256), value: z.string().max(8_192).default('') }))
        .max(100)
        .default([]),
    }),
  docs: 'The text is what `content` says; `oas-validation` reads it as an OpenAPI document. `attributes` are for whoever wrote them: no step reads them.',
});
