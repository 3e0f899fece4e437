import { z } from 'zod';
import { jsonPlaceFault } from '../../../proto/expression/json/json-place.ts';
import { patternFault } from '../../../proto/expression/patterns.ts';

const mebibyte = 1024 * 1024;

/** A text that a function finds no fault with. */
const judged = (charsMax: number, faultOf: (text: string) => string | undefined) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .superRefine((text, context) => {
      const fault = faultOf(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    });

const bodyRule = z
  .strictObject({
    path: judged(256, jsonPlaceFault).optional(),
    regex: judged(1_000, patternFault).optional(),
    replacer: z.string().max(64).default('***'),
  })
  .refine(({ path, regex }) => (path === undefined) !== (regex === undefined), {
    message: 'has either a path or a regex',
  });

/** The section `report.logs` of a gateway's configuration: what of the calls of an API with logging is kept, and how it is masked. */
export const logSettings = z.strictObject({
  bodyBytesMax: z
    .int()
    .min(0)
    .max(512 * 1024)
    .default(64 * 1024)
    .describe(
      'Of each logged body (at most four of a call) so many bytes are kept; a longer one is cut, and says so.',
    ),
  capturedBytesMax: z
    .int()
    .min(4_096)
    .default(32 * mebibyte)
    .describe(
      'All bodies that are being logged together, per worker, in bytes; past it they are cut where they are, and say so.',
    ),
  memoryBytesMax: z
    .int()
    .min(4_096)
    .default(16 * mebibyte)
    .describe(
      'What of log lines is kept in memory while the disk does not take it; past it the oldest is dropped.',
    ),
  excludedContentTypes: z
    .array(z.string().min(1).max(128).toLowerCase())
    .max(100)
    .default(['video*', 'audio*', 'image*', 'application/octet-stream', 'application/pdf'])
    .describe('Bodies of these content types are not logged; `*` at the end stands for any rest.'),
  secretHeaders: z
    .array(z.string().min(1).max(128))
    .max(100)
    .default([])
    .describe(
      'Headers whose values log lines show as ***, besides Authorization, Cookie, Set-Cookie, Proxy-Authorization, those that carry API keys, and names like those of `report.secretParameters`.',
    ),
  bodyRules: z
    .array(bodyRule)
    .max(50)
    .default([])
    .describe(
      'What of bodies is replaced by `replacer` before they are written: the value at a `path` of JSON (`$.card.number`, `$..iban`, `$.items[*].token`), or what matches a `regex` (linear time, no looking around). Where there are paths, JSON that was cut or is broken is not logged at all. Members of JSON, elements and attributes of XML, fields of forms, and values behind a name and a colon (YAML, GraphQL) with names like those of `report.secretParameters` are masked without a rule.',
    ),
});
/** See {@link logSettings}. */
export type LogSettings = z.infer<typeof logSettings>;
