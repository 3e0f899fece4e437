import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

const mediaType = z
  .string()
  .trim()
  .toLowerCase()
  .max(128)
  .regex(
    /^[a-z0-9!#$&^_.+/-]*\*?[a-z0-9!#$&^_.+/-]*$/,
    'must be a media type, with at most one `*` for any text',
  )
  .refine((type) => type !== '', 'must not be empty');

/** Codings of answers, the shortest first. */
export const compressionAlgorithms = ['br', 'gzip', 'deflate'] as const;

/** What is compressed where nothing else is said. */
export const compressibleTypes = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/xml',
  'application/*+xml',
  'application/javascript',
  'application/x-ndjson',
  'image/svg+xml',
];

/** Compresses answers for clients that accept it. */
export const compression = definePolicy({
  id: 'compression',
  title: 'Compression',
  summary: 'Compresses answers for clients that accept it.',
  category: 'transformation',
  phases: ['response'],
  config: () =>
    z.strictObject({
      algorithms: z
        .array(z.enum(compressionAlgorithms))
        .max(compressionAlgorithms.length)
        .default([])
        .describe(
          'In the order in which they are taken where a client accepts several alike. None: br, gzip, deflate.',
        ),
      level: z.int().min(1).max(9).default(4).describe('1 is the fastest, 9 makes the shortest bodies.'),
      bytesMin: z.int().min(0).max(10_000_000).default(1_024).meta({
        description: 'Shorter bodies are left as they are; one whose length is not known is compressed.',
        unit: 'bytes',
      }),
      mediaTypes: z
        .array(mediaType)
        .max(50)
        .default([])
        .describe(
          'Bodies that are compressed; a `*` stands for any text. None: texts, JSON, XML, JavaScript, NDJSON and SVG.',
        ),
    }),
  errors: {},
  docs: 'Chooses by `Accept-Encoding` of the request as it is by now, compresses while the body passes (an event stream goes on event by event), and says so: `Content-Encoding`, `Vary`, a weak `ETag`, neither `Content-Length` nor `Accept-Ranges`, and no digests of what is not sent. An answer to HEAD says the same, and no length. Left as they are: 204 and 304, parts (206, `Content-Range`), what has a `Content-Encoding` already, and what says `Cache-Control: no-transform`, or whose request did. An answer that would be compressed for others has `Vary: Accept-Encoding` too. At most 128 answers are being compressed at a time in a process; those past them go out as they are. Put it last: steps behind it see compressed bytes.',
  example: () => ({
    about: 'A client that accepts gzip gets gzip.',
    response: [{ policy: 'compression', configuration: { algorithms: ['gzip'], bytesMin: 100 } }],
    backend: {
      '/long': { headers: { 'Content-Type': 'text/plain', ETag: '"1"' }, body: 'hello '.repeat(100) },
      '/short': {
        headers: { 'Content-Type': 'text/plain', 'Content-Length': '5', ETag: '"1"' },
        body: 'hello',
      },
    },
    calls: [
      {
        request: { path: '/long', headers: { 'Accept-Encoding': 'gzip' } },
        answer: {
          headers: { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding', ETag: 'W/"1"' },
          body: '…',
        },
      },
      {
        about: 'One that is too short to be worth it is left as it is.',
        request: { path: '/short', headers: { 'Accept-Encoding': 'gzip' } },
        answer: { headers: { 'Content-Encoding': null, ETag: '"1"' }, body: 'hello' },
      },
    ],
  }),
});
