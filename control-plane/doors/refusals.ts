import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRepeatable, type Route } from '../management/route.ts';

const errorSchema = z
  .object({
    httpStatus: z.int(),
    message: z.string(),
    technicalCode: z.string(),
    parameters: z.record(z.string(), z.string()),
    details: z.array(z.object({ message: z.string(), location: z.string() })),
  })
  .openapi('Error');

const content = { 'application/json': { schema: errorSchema } };

/** What an error status means, by the name that the document gives it. */
const meanings = {
  400: ['BadRequest', 'What was sent cannot be read, or is not allowed: `details` names each place.'],
  401: ['Unauthorized', 'Nobody has signed in, or what was shown opens nothing (any more).'],
  403: ['Forbidden', 'Who asks may not do that: `parameters` names the right that is missing.'],
  404: ['NotFound', 'Something that the path names is not there.'],
  409: ['Conflict', 'What is there, or what it is used for, stands against it.'],
  412: ['PreconditionFailed', 'It has changed since the version that `If-Match` names.'],
  413: ['ContentTooLarge', 'The body is larger than this operation takes.'],
  415: ['UnsupportedMediaType', 'The body is of another type than this operation takes, or compressed.'],
  422: ['UnprocessableContent', "The `Idempotency-Key` was another request's."],
  429: ['TooManyRequests', 'Too much was asked for: `Retry-After` says for how many seconds to wait.'],
  503: [
    'Unavailable',
    'What this needs (database, lake, mail, another server) does not answer, or is turned off.',
  ],
} as const;

type Status = keyof typeof meanings;

/** What decides by which statuses an operation may be refused. */
export interface Refusable {
  readonly method: Route['method'];
  readonly hasBody: boolean;
  /** False of what is open to everybody. */
  readonly needsSignIn: boolean;
  readonly isVersioned: boolean;
}

/** The answers by which an operation may be refused, as the document names them; whatever else goes wrong is an Error too. */
export function refusalsOf({ method, hasBody, needsSignIn, isVersioned }: Refusable) {
  const changes = method !== 'get';
  const statuses: readonly Status[] = [
    400,
    ...(needsSignIn ? ([401, 403] as const) : []),
    404,
    ...(changes ? ([409] as const) : []),
    ...(changes && isVersioned ? ([412] as const) : []),
    ...(hasBody ? ([413, 415] as const) : []),
    ...(isRepeatable(method) ? ([422] as const) : []),
    429,
    503,
  ];
  return {
    ...Object.fromEntries(
      statuses.map((status) => [status, { $ref: `#/components/responses/${meanings[status][0]}` }]),
    ),
    default: { description: 'What went wrong.', content },
  };
}

/** Puts the answers into the document that operations refer to. */
export function registerRefusals({ openAPIRegistry }: OpenAPIHono): void {
  for (const [name, description] of Object.values(meanings))
    openAPIRegistry.registerComponent('responses', name, {
      description,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    });
}
