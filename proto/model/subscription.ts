import { z } from 'zod';

/** Life of a subscription as its publisher sees it: PENDING -> ACCEPTED | REJECTED; ACCEPTED <-> PAUSED; then CLOSED. */
export const subscriptionStatuses = [
  'PENDING',
  'REJECTED',
  'ACCEPTED',
  'CLOSED',
  'PAUSED',
  'RESUMED',
] as const;
/** Schema of {@link subscriptionStatuses}. */
export const subscriptionStatusSchema = z.enum(subscriptionStatuses);

/** What the consumer made of it. */
export const consumerStatusSchema = z.enum(['STARTED', 'STOPPED', 'FAILURE']);

/** Whether an application has one key per subscription or one for all; UNSPECIFIED until the first subscription. */
export const apiKeyModeSchema = z.enum(['UNSPECIFIED', 'EXCLUSIVE', 'SHARED']);

/**
 * A key that a person chose.
 *
 * The characters are those a header carries unescaped; fewer than 8 characters could be guessed at the gateway.
 */
export const customApiKeySchema = z
  .string()
  .min(8)
  .max(256)
  .regex(/^[A-Za-z0-9._~+/=-]+$/, 'only letters, digits and . _ ~ + / = - are allowed');
