import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import { createRate } from '../../proto/process/rate.ts';
import type { GatewayIdentity } from '../../proto/wire/published.ts';
import { parseBody, readBody } from './body.ts';
import { createRates } from '../admission/rates.ts';
import type { Services } from '../services.ts';

const bodyBytesMax = 32 * 1024;
const rawKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url')
  .transform((text) => Uint8Array.from(Buffer.from(text, 'base64url')));

/** The body of POST /bridge/v1/enrol. */
const enrolmentBody = z.strictObject({
  token: z.string().min(1).max(16_384),
  signingKey: rawKey,
  sealingKey: rawKey,
  hostname: z.string().max(256),
  version: z.string().max(64),
  previous: z
    .strictObject({
      // As a landing key may spell it.
      gateway: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/, 'must be the id of a gateway'),
      signature: z
        .string()
        .regex(/^[A-Za-z0-9_-]{86}$/, 'must be 64 bytes in base64url')
        .transform((text) => Uint8Array.from(Buffer.from(text, 'base64url'))),
    })
    .optional(),
});

/** What an enrolled gateway is told. */
export interface EnrolmentAnswer {
  readonly gateway: string;
  readonly organization: string;
  readonly fleet: string;
  readonly environments: readonly string[];
  readonly tags: readonly string[];
  readonly tenant?: string;
  /** The caller's public key, given back, so that he knows whom this answers. */
  readonly signingKey: string;
  readonly bridgeTimeMs: number;
}

/** Makes the enrolment door: attempts are bounded per source, so that nobody starves the others, and over all, so that nobody guesses tokens. */
export function createEnrolment({ repository, clock, config }: Services): {
  /** Errors: request.invalid, request.too_many, and those of PublishedRepository.enrol. */
  enrol(request: Request, source: string): Promise<EnrolmentAnswer>;
} {
  const attempts = createRate(config.limits.enrolmentsPerSecondMax, clock);
  const ofSources = createRates(config.limits.enrolmentsPerSourcePerSecondMax, clock);
  return {
    async enrol(request, source) {
      if (ofSources.take(source) > 0 || attempts.take() > 0) throw new Fault('request.too_many');
      const identity = await repository.enrol(
        parseBody(enrolmentBody, await readBody(request, bodyBytesMax)),
      );
      return answerOf(identity, clock.now());
    },
  };
}

function answerOf({ id, grant, ...identity }: GatewayIdentity, bridgeTimeMs: number): EnrolmentAnswer {
  const signingKey = Buffer.from(identity.signingKey).toString('base64url');
  const { organization, fleet, environments, tags, tenant } = grant;
  const required = { gateway: id, organization, fleet, environments, tags, signingKey, bridgeTimeMs };
  return tenant === undefined ? required : { ...required, tenant };
}
