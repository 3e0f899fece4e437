import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

/** Plan security without a credential. */
export const keyLess = definePolicy({
  id: 'key-less',
  title: 'Keyless',
  summary: 'Lets everybody in.',
  category: 'security',
  phases: ['security'],
  config: () => z.strictObject({}),
  errors: {},
  docs: 'Serves callers who present no credential. Tried last; with other plans beside it, any presented credential blocks it. The application is `1`, the user the remote address.',
  example: () => ({
    about: 'Anybody may call.',
    security: { type: 'KEY_LESS' },
    calls: [{ request: { path: '/orders' }, received: { path: '/orders' }, answer: { body: 'hello' } }],
  }),
});
