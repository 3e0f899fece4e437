import { z } from 'zod';

/** Longest address (RFC 5321, 4.5.3.1.3). */
const addressCharsMax = 254;

/**
 * An address of mail: one mailbox and nothing around it, so that no text can name two, or begin a header. Quoted local parts, which hardly
 * anybody has, are refused, and so is what nobody sees in it: servers leave it out or not, so that two addresses look like one.
 */
export const addressSchema = z
  .string()
  .max(addressCharsMax)
  .regex(
    /^[^\p{C}\p{Z}<>()[\]\\,;:"@]{1,64}@[^\p{C}\p{Z}<>()[\]\\,;:"@]+$/u,
    'must be an address of mail, e.g. someone@example.com',
  );

/** Whether mail can be sent to it. */
export const isAddress = (text: string): boolean => addressSchema.safeParse(text).success;
