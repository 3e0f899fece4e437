import { z } from 'zod';

import { apiLimits } from './api-limits.ts';
import { headerNameSchema, headersPerPlaceMax, methodSchema, originSchema } from './head-text.ts';
import { choice, elsewhere, off, orJsonText, section } from './sections.ts';

const pathCharacters = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
const hostName = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/;
const regexCharacters = /[\\^$+?()[\]{}|*]/;
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).max(headersPerPlaceMax).default([]);

/** `/a//b/` becomes `/a/b`: the form in which context paths are compared. */
const contextPathSchema = z
  .string()
  .max(apiLimits.pathCharsMax)
  .transform((path) => (path === '' ? '/' : path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')))
  .refine(
    (path) => pathCharacters.test(path) && !/(^|\/)\.{1,2}(\/|$)/.test(path),
    'must start with / and hold only characters of a URL path, without . and .. segments',
  );

const hostSchema = z
  .string()
  .max(apiLimits.hostCharsMax)
  .transform((host) => (host === '' ? undefined : host.toLowerCase()))
  .refine((host) => host === undefined || hostName.test(host), 'must be a host name without port')
  .optional();

const corsSchema = section({
  enabled: z.boolean().default(false),
  allowOrigin: listOf(
    originSchema.refine(
      (origin) => origin === '*' || !regexCharacters.test(origin),
      'patterns are not supported by this version; allowed: * or an origin such as https://acme.com',
    ),
  ),
  allowOriginRegex: off('an empty list'),
  allowMethods: listOf(methodSchema),
  allowHeaders: listOf(headerNameSchema),
  exposeHeaders: listOf(headerNameSchema),
  allowCredentials: z.boolean().default(false),
  maxAge: z.int().min(-1).max(apiLimits.corsMaxAgeMax).default(-1),
  runPolicies: off('false'),
  errorStatusCode: z.int().min(400).max(599).default(400),
  allowPrivateNetwork: z.boolean().default(false),
});

/** Who may call from a browser. */
export type CorsDefinition = z.output<typeof corsSchema>;

/** Where an API listens. */
export const listenerSchema = section({
  type: choice(['http'], 'tcp', 'kafka', 'subscription'),
  paths: z
    .array(
      section({
        host: hostSchema,
        path: contextPathSchema.default('/'),
        overrideAccess: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(apiLimits.pathsMax),
  pathMappings: z.array(contextPathSchema).max(apiLimits.pathMappingsMax).default([]),
  entrypoints: z
    .array(
      section({
        type: choice(['http-proxy'], 'http-get', 'http-post', 'sse', 'websocket', 'webhook', 'tcp-proxy'),
        qos: choice(['auto', 'none'], 'at-most-once', 'at-least-once').default('auto'),
        configuration: orJsonText(section({})).prefault({}),
        dlq: off('nothing'),
      }),
    )
    .max(apiLimits.entrypointsMax)
    .prefault([{ type: 'http-proxy' }]),
  servers: off('an empty list'),
  requestValidation: section({ rejectNullByte: z.boolean().default(true) }).optional(),
  // A section that is off may say what it likes.
  cors: z
    .union([z.looseObject({ enabled: z.literal(false) }).transform(() => undefined), corsSchema])
    .optional(),
  // What the reference's console keeps beside a path.
  pathMappingsPattern: elsewhere(),
});

/** Where an API listens. */
export type ListenerDefinition = z.output<typeof listenerSchema>;
