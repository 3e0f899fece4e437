import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { calledHeaders, calledUrl } from '../callout-fields.ts';

const bodyCharsMax = 64 * 1024;
const connectionsMax = 1_000;
const timeoutMsMax = 10_000;

/**
 * A service that is asked about a prompt. body: what it is sent where a definition says nothing, as JSON in which `#prompt` is the prompt.
 */
export const modelService = (body: string) =>
  z.strictObject({
    url: calledUrl(),
    headers: calledHeaders,
    body: template(z.string().max(bodyCharsMax), ['prompt']).prefault(body),
    /** From the call to the last byte of the answer. */
    timeoutMs: z.int().min(1).max(timeoutMsMax).default(5_000).meta({ unit: 'ms' }),
    /** Calls of the step that run at once, in each process. */
    maxConcurrentConnections: z.int().min(1).max(connectionsMax).default(20),
  });

/** What is to be said of every such service. */
export const modelServiceDocs =
  'The service is called by POST with `Content-Type: application/json`, where endpoints may lead to (`upstream.allow`, `upstream.deny` of the gateway); in `body` `#prompt` is the prompt, and `{#jsonEscape(#prompt)}` its text within quotes. `timeoutMs` is the longest that a call takes; `maxConcurrentConnections` of a step run at once in each process, 1000 more wait as long, and any more get no answer.';
