import { z } from 'zod';

import { definePolicy } from '../policy-schema.ts';

/** Refuses bodies that are too long. */
export const requestContentLimit = definePolicy({
  id: 'request-content-limit',
  aliases: ['policy-request-content-limit'],
  title: 'Request content limit',
  summary: 'Refuses requests whose body is longer than a limit, or that do not say whether they have one.',
  category: 'validation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      limit: z.int().min(0).meta({ unit: 'bytes' }),
    }),
  errors: {
    REQUEST_CONTENT_LIMIT_TOO_LARGE: {
      status: 413,
      message: 'The request is larger than the server is willing or able to process.',
    },
    REQUEST_CONTENT_LIMIT_LENGTH_REQUIRED: {
      status: 411,
      message:
        'The request did not specify the length of its content, which is required by the requested resource.',
    },
  },
  docs: "A body of `limit` bytes passes, one more is refused with 413: by its `Content-Length` before any of it is read, else counted while it comes and refused at the byte past the limit; a body of at most 64 KiB reaches the backend whole or not at all. A request with neither `Content-Length` nor `Transfer-Encoding`, a plain GET too, is refused with 411, as in the reference; give the step a condition (`{#request.method == 'POST'}`) where that is not wanted. A stream of HTTP/2 that brings a body without its length is counted. Parameters of templates: `length` (as said, or as far as it was counted), `limit`. What the gateway itself takes is bounded by `bodyBytesMax` of its listener.",
  example: () => ({
    about: 'Notes of at most 16 bytes.',
    request: [{ policy: 'request-content-limit', configuration: { limit: 16 } }],
    calls: [
      {
        request: { body: 'sixteen bytes :)' },
        received: { body: 'sixteen bytes :)' },
        answer: { body: 'hello' },
      },
      { request: { body: 'seventeen bytes: ' }, received: 'nothing', answer: { status: 413 } },
      { about: 'Nothing is said of a body.', request: {}, received: 'nothing', answer: { status: 411 } },
    ],
  }),
});
