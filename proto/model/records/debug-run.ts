import { z } from 'zod';
import { isToken } from '../head-text.ts';
import { stepDecisions, stepLists, stepPhases } from './step-list.ts';

/*
 * One request through a definition that nobody serves yet, in a process of its own: what that process is given, and what it says. It runs what
 * tenants wrote, so that whoever started it reads its words as a stranger's.
 */

/** Bounds of a run; what is longer is cut, and says so, or is refused. */
export const debugLimits = {
  /** Of the request's body, in UTF-8. */
  requestBodyBytesMax: 262_144,
  requestHeadersMax: 50,
  headerCharsMax: 8_192,
  pathCharsMax: 4_096,
  /** Of each body that is shown. */
  shownBodyBytesMax: 4_096,
  shownCharsMax: 1_024,
  changesPerStepMax: 60,
  shownHeadersMax: 100,
  notesMax: 40,
  /** Of all that is said of a run. */
  reportBytesMax: 1_048_576,
} as const;

const headerValue = z
  .string()
  .max(debugLimits.headerCharsMax)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must hold no control characters, and none beyond Latin-1');

/** A header's name. */
const headerName = z.string().min(1).max(256).refine(isToken, 'must be the name of a header');

/** What the connection is made of is the runner's: a message with two lengths is two messages. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The request, as somebody wishes it; `path` is below the context path of the API, with its query. */
export const debugRequestSchema = z.strictObject({
  method: z
    .string()
    .max(32)
    .refine((method) => isToken(method) && method.toUpperCase() !== 'CONNECT', 'must be a method of HTTP')
    .default('GET'),
  path: z
    .string()
    .max(debugLimits.pathCharsMax)
    .regex(/^(\/[\x21-\x7e]*)?$/, 'must be empty or begin with /, in printable ASCII without blanks')
    .refine((path) => !path.includes('#'), 'must not hold #')
    .default('/'),
  headers: z
    .record(headerName, z.array(headerValue).max(20))
    .refine((headers) => Object.keys(headers).length <= debugLimits.requestHeadersMax, {
      error: `must not be more than ${debugLimits.requestHeadersMax}`,
    })
    .refine((headers) => !Object.keys(headers).some((name) => framing.has(name.toLowerCase())), {
      error: `must not hold ${[...framing].join(', ')}, which the run itself says`,
    })
    .default({}),
  body: z
    .string()
    .refine((body) => Buffer.byteLength(body) <= debugLimits.requestBodyBytesMax, {
      error: `must not be longer than ${debugLimits.requestBodyBytesMax} bytes`,
    })
    .optional(),
});
/** See {@link debugRequestSchema}. */
export type DebugRequest = z.infer<typeof debugRequestSchema>;

/** A record that a gateway would have, its secrets open; the payload in base64. */
interface DebugRecord {
  readonly kind: 'organization-flows' | 'dictionary' | 'shared-policy-group' | 'api';
  readonly id: string;
  readonly payload: string;
}

/** All that a run is given; the process has nothing else. */
export interface DebugJob {
  readonly organization: string;
  readonly environment: string;
  readonly records: readonly DebugRecord[];
  readonly request: DebugRequest;
  /** Where the API listens: the request's path comes behind it. */
  readonly contextPath: string;
  /** For a request that says none itself. */
  readonly host: string;
}

const shownText = z.string().max(4 * debugLimits.shownBodyBytesMax);
const shownLine = z.string().max(debugLimits.shownCharsMax);
const shownHeaders = z
  .array(z.strictObject({ name: shownLine, value: shownLine }))
  .max(debugLimits.shownHeadersMax);
const whole = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What a step changed; without `before` it was not there or is not known, without `after` it is gone. */
export const debugChangeSchema = z.strictObject({
  part: z.enum(['method', 'path', 'query', 'header', 'attribute', 'status', 'body']),
  /** Of a header or an attribute. */
  name: shownLine.optional(),
  before: shownText.optional(),
  after: shownText.optional(),
  /** Of a body that is there afterwards, all of it. */
  bytes: whole.optional(),
});

/** One step of the way, in order. */
export const debugStepSchema = z.strictObject({
  phase: z.enum(stepPhases),
  /** Id of a policy, or of what else happens: match, plan, flow, endpoint, dns, connect, tls, first-byte, body, answer ... */
  step: z.string().max(64),
  /** In the definition, e.g. flows[0].request[1]. */
  place: z.string().max(stepLists.placeCharsMax).optional(),
  decision: z.enum(stepDecisions),
  /** Microseconds since the request's head was complete. */
  fromUs: whole,
  tookUs: whole,
  said: z.string().max(stepLists.saidCharsMax).optional(),
  /** What a policy changed; absent where nobody looked, as at what happens between policies. */
  changes: z.array(debugChangeSchema).max(debugLimits.changesPerStepMax).optional(),
});

const bodyFields = { headers: shownHeaders, body: shownText.optional(), bodyBytes: whole.optional() };

/** What a run came to. */
export const debugReportSchema = z.strictObject({
  steps: z.array(debugStepSchema).max(stepLists.stepsMax),
  /** As it left for the backend, the last time. */
  backendRequest: z
    .strictObject({ method: shownLine, uri: z.string().max(debugLimits.pathCharsMax * 2), ...bodyFields })
    .optional(),
  backendResponse: z.strictObject({ statusCode: z.int(), ...bodyFields }).optional(),
  /** What the caller gets. */
  response: z.strictObject({ statusCode: z.int(), ...bodyFields }).optional(),
  errorKey: z.string().max(256).optional(),
  errorMessage: shownLine.optional(),
  /** What of the run is otherwise than it would be in a gateway. */
  notes: z.array(shownLine).max(debugLimits.notesMax),
  totalUs: whole,
});
/** See {@link debugReportSchema}. */
export type DebugReport = z.infer<typeof debugReportSchema>;
/** One of a {@link DebugReport}. */
export type DebugStep = z.infer<typeof debugStepSchema>;
/** One of a {@link DebugStep}. */
export type DebugChange = z.infer<typeof debugChangeSchema>;

/** What the process says: what the run came to, or why there was none. */
export const debugWordsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ran'), report: debugReportSchema }),
  z.strictObject({ kind: z.literal('refused'), reason: z.string().max(4_096) }),
]);
/** See {@link debugWordsSchema}. */
export type DebugWords = z.infer<typeof debugWordsSchema>;

/** How a run ended: what the process said, or that it was ended or ended by itself without a word. */
export type DebugEnd =
  | DebugWords
  /** Longer than it may take. */
  | { readonly kind: 'late' }
  /** Took too much memory, said too much, or broke. */
  | { readonly kind: 'broken'; readonly how: string };

/** Runs requests through drafts; see {@link DebugJob}. */
export interface DebugRuns {
  /** source: whose run it is; each has one at a time. 'busy', at once, when too many wait. */
  run(source: string, job: DebugJob): Promise<DebugEnd | 'busy'>;
}
