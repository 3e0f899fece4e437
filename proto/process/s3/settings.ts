import { z } from 'zod';

import { former, httpUrl, secret } from '../settings.ts';

/**
 * What every process says of an S3-protocol store; rooms add what they need besides, and wrap the whole in {@link checkCredentials}.
 *
 * Apart from the client (`client.ts`), so that reading a configuration loads no SDK.
 */
export const s3Shape = {
  endpoint: httpUrl().optional().describe('Origin of the store; without it AWS by region.'),
  region: z.string().default('us-east-1').describe('Region that requests are signed for.'),
  bucket: z.string().min(3).describe('Name of the bucket.'),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9=._-]+\/)*$/)
    .default('')
    .describe('In front of every key; ends with a slash.'),
  accessKeyId: z
    .string()
    .min(1, 'must not be empty')
    .optional()
    .describe(
      'With secretAccessKey; without both the usual AWS sources: environment, profile, instance role.',
    ),
  secretAccessKey: secret().optional().describe('Belongs to accessKeyId.'),
  forcePathStyle: z
    .boolean()
    .default(true)
    .describe('Bucket in the path instead of the host name; most stores but AWS need it.'),
  pathStyle: former('is called forcePathStyle now'),
  checksums: z
    .enum(['required', 'always'])
    .default('required')
    .describe('When the SDK adds checksums; many compatible stores refuse them.'),
  checksum: former('is called checksums now: required or always'),
  conditionalPut: z
    .boolean()
    .default(true)
    .describe(
      'Send If-None-Match, so that nothing is overwritten; turn it off for stores that refuse the header.',
    ),
  ifNoneMatch: former('is called conditionalPut now: true or false'),
} as const;

/** How to reach a store. */
export type S3Settings = Omit<
  z.output<z.ZodObject<typeof s3Shape>>,
  'pathStyle' | 'checksum' | 'ifNoneMatch'
>;

/** Refuses half of a credential, which the SDK would take for none and look for others without a word. */
export function checkCredentials(
  settings: Pick<S3Settings, 'accessKeyId' | 'secretAccessKey'>,
  context: z.core.$RefinementCtx,
): void {
  const { accessKeyId, secretAccessKey } = settings;
  if ((accessKeyId === undefined) === (secretAccessKey === undefined)) return;
  const [missing, given] =
    accessKeyId === undefined ? ['accessKeyId', 'secretAccessKey'] : ['secretAccessKey', 'accessKeyId'];
  context.addIssue({
    code: 'custom',
    path: [missing],
    message: `must be set beside ${given}; leave both out for the AWS sources (environment, profile, instance role)`,
  });
}
