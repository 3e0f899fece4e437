import { z } from 'zod';

import { calledMethod } from './callout-fields.ts';
import { definePolicy } from './policy-schema.ts';

/** Changes the method of the request. */
export const overrideRequestMethod = definePolicy({
  id: 'policy-override-request-method',
  title: 'Override request method',
  summary: 'Asks the backend by another method than the client used.',
  category: 'transformation',
  phases: ['request'],
  config: () =>
    z.strictObject({
      method: calledMethod(),
    }),
  errors: {},
  docs: 'The backend is asked by that method, and conditions and expressions behind the step read it in `#request.method`. Which flows a request takes was chosen by the method that it came with. `CONNECT` is refused: no backend answers it.',
  example: () => ({
    about: 'Clients that can only GET ask a backend that takes POST.',
    request: [{ policy: 'policy-override-request-method', configuration: { method: 'POST' } }],
    calls: [
      {
        request: { path: '/orders' },
        received: { method: 'POST', path: '/orders' },
        answer: { body: 'hello' },
      },
    ],
  }),
});
