import type { RequestListener } from 'node:http';
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server';

import { answerOf } from '../../faults/answers.ts';
import { Fault } from '../../faults/fault.ts';
import type { Log } from '../log.ts';

/** What answers requests as the web's standards spell them. */
export interface WebApp {
  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response>;
}

/** A listener's answers are an app's; what the app throws is told and answered as a bug. */
export function answerByApp(app: WebApp, log: Log): RequestListener {
  const refuse = (fault: Fault): Response => Response.json(answerOf(fault).body, { status: fault.status });
  const fetch = (request: Request, bindings: HttpBindings): Response | Promise<Response> =>
    app.fetch(request, bindings);
  const handle = getRequestListener(fetch as Parameters<typeof getRequestListener>[0], {
    errorHandler(error) {
      if (error instanceof RequestError)
        return refuse(
          new Fault('request.invalid', { detail: 'The target or the Host of the request is none.' }),
        );
      log.error({ err: error }, 'a request failed');
      return refuse(new Fault('platform.bug', { cause: error }));
    },
  });
  return (incoming, outgoing) => void handle(incoming, outgoing);
}
