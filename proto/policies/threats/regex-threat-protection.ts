import { z } from 'zod';

import { patternText } from '../pattern-text.ts';
import { definePolicy } from '../policy-schema.ts';

/** Longest pattern; flags are added to it. */
const regexCharsMax = 900;

/** Refuses requests in which a pattern is found. */
export const regexThreatProtection = definePolicy({
  id: 'regex-threat-protection',
  title: 'Regular expression threat protection',
  summary: 'Refuses requests whose headers, path, query or body hold what a pattern describes.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      regex: patternText(regexCharsMax),
      caseSensitive: z.boolean().default(false),
      /** Of the body alone. */
      fullMatching: z.boolean().default(true),
      checkHeaders: z.boolean().default(true),
      checkPath: z.boolean().default(true),
      checkBody: z.boolean().default(true),
    }),
  errors: {
    REGEX_THREAT_HEADER_DETECTED: { status: 400, message: 'Bad Request' },
    REGEX_THREAT_PATH_DETECTED: { status: 400, message: 'Bad Request' },
    REGEX_THREAT_BODY_DETECTED: { status: 400, message: 'Bad Request' },
  },
  docs: [
    'A name or value of a header, the path below the context path, a name or value of the query: each is refused when the whole of it is what `regex` describes, so that a pattern is written `.*evil.*`. Of the body it is the whole too, or with `fullMatching: false` any part of it.',
    'Path and query are tested as they were sent, decoded, and in the other ways in which servers read them: decoded twice, with their `;` parameters and dot segments taken away. `.` is any character, line ends as well: in the reference it is not, so that a line end in front keeps it from finding anything. A body is tested as UTF-8, in the charset that it says, as UTF-16 or 32 where it has zeros, and without the escapes of its type (forms, JSON, references of XML and HTML; where it says no type, of all of them): the reference tests it as it was sent alone.',
    'Patterns are matched in time that grows with the text and no faster; looking around and references back are refused when the API is deployed. A body that cannot be read is refused like one in which something was found, with a warning in the record: it is compressed, of a charset that is not known, or it has more characters than 50 million divided by the instructions of the pattern (a pattern of 50 instructions: one million).',
  ].join('\n\n'),
  example: () => ({
    about: 'Nothing that looks like SQL comes in.',
    request: [
      {
        policy: 'regex-threat-protection',
        configuration: { regex: '.*(drop\\s+table|union\\s+select).*' },
      },
    ],
    calls: [
      { request: { path: '/items?name=table' }, answer: { body: 'hello' } },
      {
        request: { path: '/items?name=x%27;DROP%20TABLE%20items' },
        received: 'nothing',
        answer: { status: 400, body: 'Bad Request' },
      },
      { request: { body: 'x union select y' }, received: 'nothing', answer: { status: 400 } },
    ],
  }),
});
