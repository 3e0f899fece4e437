import { z } from 'zod';

/** Names with their values, in order: no object is keyed by what a caller sends. */
type Entries<Value> = readonly (readonly [name: string, value: Value])[];

/** What a script is told of a request, once, before it runs; it crosses to the thread as JSON. */
export interface ScriptFacts {
  readonly phase: 'request' | 'response';
  readonly request: {
    readonly id: string;
    readonly transactionId: string;
    readonly clientIdentifier: string;
    readonly uri: string;
    readonly host: string;
    readonly contextPath: string;
    readonly pathInfo: string;
    readonly path: string;
    readonly method: string;
    readonly scheme: string;
    /** e.g. `HTTP_1_1`. */
    readonly version: string;
    readonly timestamp: number;
    readonly remoteAddress: string;
    readonly localAddress: string;
    readonly query: string;
    readonly headers: Entries<string>;
    readonly pathParameters: Entries<readonly string[]>;
  };
  /** Null before there is an answer. */
  readonly response: {
    readonly status: number;
    readonly reason: string | null;
    readonly headers: Entries<string>;
  } | null;
  readonly attributes: Entries<unknown>;
  readonly properties: Entries<string>;
  readonly dictionaries: Entries<Entries<string>>;
  /** The body of the phase as text; null where the step does not read it. */
  readonly content: string | null;
  readonly contentAsBase64: string | null;
  /** Whether the script may replace the body. */
  readonly overrides: boolean;
}

/** Most headers and attributes that one run may change. */
const changesMax = 1_000;
/** Most lines, and characters of each, that one run may write to the console. */
const consoleLinesMax = 100;
const consoleCharsMax = 2_000;

const headerChange = z.union([
  z.tuple([z.enum(['set', 'add']), z.string(), z.string()]),
  z.tuple([z.literal('remove'), z.string()]),
]);
const attributeChange = z.union([
  z.tuple([z.literal('set'), z.string().max(1_024), z.json()]),
  z.tuple([z.literal('remove'), z.string().max(1_024)]),
]);
const headerChanges = z.array(headerChange).max(changesMax);

/** What a script has done. It is the script's word: whatever it says is judged before anything comes of it. */
export const scriptEffectsSchema = z.strictObject({
  failure: z
    .strictObject({
      code: z.number(),
      error: z.string(),
      key: z.string().nullable(),
      contentType: z.string().nullable(),
    })
    .nullable(),
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
  attributes: z.array(attributeChange).max(changesMax),
  status: z.number().nullable(),
  reason: z.string().nullable(),
  query: z.string().nullable(),
  /** Null leaves the body as it is. */
  content: z.string().nullable(),
  console: z
    .array(z.tuple([z.enum(['info', 'error']), z.string().max(consoleCharsMax)]))
    .max(consoleLinesMax),
});

/** See {@link scriptEffectsSchema}. */
export type ScriptEffects = z.output<typeof scriptEffectsSchema>;
