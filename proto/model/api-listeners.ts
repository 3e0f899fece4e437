import { z } from 'zod';

import { apiLimits } from './api-limits.ts';
import {
  headerNameSchema,
  headersPerPlaceMax,
  methodSchema,
  originCharsMax,
  originSchema,
} from './head-text.ts';
import { patternFault } from '../expression/patterns.ts';
import { choice, elsewhere, off, orJsonText, section } from './sections.ts';

const pathCharacters = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
const hostName = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/;
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

/** As the reference decides whether an allowed origin is a pattern as well; `*` alone is any origin. */
export const isOriginPattern = (origin: string): boolean => origin !== '*' && /[([*]/.test(origin);

/** Matched as a whole, in time that grows with the origin. */
const patternSchema = z
  .string()
  .max(originCharsMax)
  .superRefine((pattern, context) => {
    const why = patternFault(pattern);
    if (why !== undefined) context.addIssue({ code: 'custom', message: why });
  });

const allowedOriginSchema = z
  .string()
  .max(originCharsMax)
  .superRefine((origin, context) => {
    const schema = isOriginPattern(origin) ? patternSchema : originSchema;
    for (const { message } of schema.safeParse(origin).error?.issues ?? [])
      context.addIssue({ code: 'custom', message });
  });

/** Who may call from a browser, as a section says it. */
export const corsSchema = section({
  enabled: z.boolean().default(false).meta({
    title: 'Let pages of other origins call it',
    description: 'The gateway answers preflight requests and adds the headers that browsers ask for',
  }),
  allowOrigin: listOf(allowedOriginSchema).meta({
    title: 'Allowed origins',
    description: 'Such as https://app.example.com, patterns of them, or * for all',
  }),
  allowOriginRegex: listOf(patternSchema).meta({ title: 'Allowed origins, as patterns' }),
  allowMethods: listOf(methodSchema).meta({ title: 'Allowed methods' }),
  allowHeaders: listOf(headerNameSchema).meta({
    title: 'Allowed headers',
    description: 'Headers of requests that a page may set',
  }),
  exposeHeaders: listOf(headerNameSchema).meta({
    title: 'Exposed headers',
    description: 'Headers of answers that a page may read',
  }),
  allowCredentials: z.boolean().default(false).meta({ title: 'With cookies and other credentials' }),
  maxAge: z.int().min(-1).max(apiLimits.corsMaxAgeMax).default(-1).meta({
    title: 'Browsers remember it for',
    unit: 's',
    description: '-1: as long as they like',
  }),
  runPolicies: z.boolean().default(false).meta({ title: 'Run policies on preflight requests' }),
  errorStatusCode: z.int().min(400).max(599).default(400).meta({
    title: 'Status of what is refused',
  }),
  allowPrivateNetwork: z.boolean().default(false).meta({
    title: 'From public pages into a private network',
  }),
});

/** Who may call from a browser. */
export type CorsDefinition = z.output<typeof corsSchema>;

/** What an entrypoint is told: nothing yet. */
export const entrypointConfigurationSchema = section({});

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
        configuration: orJsonText(entrypointConfigurationSchema).prefault({}),
        dlq: off('nothing'),
      }),
    )
    .max(apiLimits.entrypointsMax)
    .prefault([{ type: 'http-proxy' }]),
  /** Ids of servers of a gateway; none is all of them. */
  servers: z.array(z.string().min(1).max(apiLimits.idCharsMax)).max(apiLimits.serversMax).default([]),
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

/** Whether some server is chosen by both lists, of which an empty one chooses all. */
export function shareServer(one: readonly string[], other: readonly string[]): boolean {
  return one.length === 0 || other.length === 0 || one.some((id) => other.includes(id));
}
