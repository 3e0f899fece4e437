import type { Code } from './codes.ts';

/** The part of the register that repeated changes raise. */
export const idempotencyCodes = {
  'idempotency.key_reused': {
    status: 422,
    owner: 'client',
    text: 'This Idempotency-Key stands for another request.',
    hint: 'Send a new key with each new request, and the same one only where the request is repeated as it was.',
  },
  'idempotency.in_progress': {
    status: 409,
    owner: 'client',
    text: 'The request with this Idempotency-Key is still being carried out.',
    hint: 'Repeat it a little later.',
  },
  'idempotency.answer_lost': {
    status: 409,
    owner: 'client',
    text: 'The request with this Idempotency-Key was carried out, and its answer is not kept.',
    hint: 'Nothing was done again. Look for what it made; the audit tells.',
  },
  'idempotency.too_many': {
    status: 429,
    owner: 'client',
    text: 'You have as many idempotency keys in use as one user may have.',
    hint: 'Each stands for its answer for 24 hours; send the request without a key, or wait.',
  },
} as const satisfies Readonly<Record<string, Code>>;
