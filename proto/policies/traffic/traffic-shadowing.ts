import { z } from 'zod';

import { template } from '../../expression/template.ts';
import { calledHeaders, calledUrlCharsMax } from '../callout-fields.ts';
import { definePolicy } from '../policy-schema.ts';

const inTime = 'reads the body, which is still on its way; allowed: what is known of the head';

/** Sends a copy of each request to another backend. */
export const trafficShadowing = definePolicy({
  id: 'traffic-shadowing',
  title: 'Traffic shadowing',
  summary: 'Sends a copy of each request to another backend, and lets its answer go.',
  category: 'traffic',
  phases: ['request'],
  config: () =>
    z.strictObject({
      target: template(z.string().min(1).max(calledUrlCharsMax)).refine(
        (target) => target.kind === 'constant' || target.needs === 'head',
        inTime,
      ),
      headers: calledHeaders.refine(
        (headers) => headers.every(({ value }) => value.kind === 'constant' || value.needs === 'head'),
        inTime,
      ),
    }),
  errors: {},
  docs: "`target` names an endpoint of the API (`{#endpoints['shadow']}` or `shadow`), whose target is written without expressions, or is a URL; the path below the context path and the query follow.\n\nThe copy has method, headers (`Authorization` and `Cookie` too, not `Host`) and body of the request as they are at this step; `headers` replace those of their names.\n\nNobody waits for it: it is sent once the body has passed, and whatever becomes of it the caller never knows; a record that is not written yet has a warning (`TRAFFIC_SHADOWING_FAILED`). A request has no copy when its body is longer than 256 KiB, when 100 copies of the step are on their way already, or when there is no such target (`TRAFFIC_SHADOWING_DROPPED`).\n\nA copy takes 10 s at most, goes where endpoints may lead to and nowhere else (to a host that a request chooses only by `upstream.chosenByRequests`), and follows no redirect.",
  example: () => ({
    about: 'Tomorrow’s backend gets what today’s gets.',
    request: [
      {
        policy: 'traffic-shadowing',
        configuration: {
          target: 'http://backend.example:8080/shadow',
          headers: [{ name: 'X-Shadow', value: 'yes' }],
        },
      },
    ],
    backend: {
      '/orders': { status: 201, body: 'taken' },
      '/shadow/orders': { status: 500, body: 'not ready' },
    },
    calls: [{ request: { path: '/orders', body: 'apples' }, answer: { status: 201, body: 'taken' } }],
  }),
});
