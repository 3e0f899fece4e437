import { z } from 'zod';

import { contentTemplate } from '../../freemarker/template.ts';
import { callOptions } from '../../resources/calls.ts';
import { calledHeaders, calledUrl } from '../callout-fields.ts';
import { definePolicy } from '../policy-schema.ts';

/** Tells another server of each answer. */
export const metricsReporter = definePolicy({
  id: 'metrics-reporter',
  title: 'Metrics reporter',
  summary: 'Tells another server of each request, once it is answered.',
  category: 'others',
  phases: ['response'],
  config: () =>
    z.strictObject({
      method: z.enum(['POST', 'PUT', 'PATCH']).default('POST'),
      url: calledUrl(),
      /** The way of all calls of the gateway (`outbound.proxy`), whatever stands here. */
      useSystemProxy: z.boolean().default(false),
      headers: calledHeaders,
      body: contentTemplate(),
      ...callOptions,
    }),
  errors: {},
  docs: 'What is sent is made when the answer passes this step: URL and headers by expressions, the body by a template of FreeMarker ([templates](../templates.md)), of request, answer and context as they are then. It is sent once the client has its answer, or has gone; an answer that did not come this far is not reported.\n\nNobody waits for it, and what fails is a warning (`METRICS_REPORTER_FAILED`, in metrics and log of the gateway): the call itself, a URL that fails, a template that fails, whose report has an empty body as in the reference.\n\nAt most 100 reports of a step are on their way in each process, each for `http.connectTimeout` and `http.readTimeout` together at most; past that a report is left out, with the warning. Reports may go where endpoints may (`upstream.allow`, `upstream.deny` of the gateway), and certificates are verified.',
  example: () => ({
    about: 'An audit learns of every answer; the caller notices nothing of that.',
    response: [
      {
        policy: 'metrics-reporter',
        configuration: {
          url: 'http://backend.example:8080/audit',
          headers: [{ name: 'Content-Type', value: 'application/json' }],
          body: '{"path":"${request.path}","status":${response.status}}',
        },
      },
    ],
    calls: [
      {
        request: { path: '/orders' },
        received: { path: '…' },
        answer: { body: 'hello' },
      },
    ],
  }),
});
