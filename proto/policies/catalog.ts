import type { z } from 'zod';

import { apiKey } from './api-key.ts';
import { cache } from './cache.ts';
import { jwt } from './jwt.ts';
import { keyLess } from './key-less.ts';
import { mock } from './mock.ts';
import { mtls } from './mtls.ts';
import { oauth2 } from './oauth2.ts';
import type { PolicySchema } from './policy-schema.ts';
import { quota } from './limits/quota.ts';
import { rateLimit } from './limits/rate-limit.ts';
import { dynamicRouting } from './dynamic-routing.ts';
import { httpRedirect } from './http-redirect.ts';
import { latency } from './latency.ts';
import { assignAttributes } from './policy-assign-attributes.ts';
import { assignContent } from './policy-assign-content.ts';
import { interrupt } from './policy-interrupt.ts';
import { overrideRequestMethod } from './policy-override-request-method.ts';
import { sharedPolicyGroupPolicy } from './shared-policy-group-policy.ts';
import { spikeArrest } from './limits/spike-arrest.ts';
import { statusCode } from './status-code.ts';
import { transformHeaders } from './transform-headers.ts';
import { transformQueryParams } from './transform-queryparams.ts';

/** Every policy this version knows, by id; a new one is its schema file and a line here. */
export const catalog = {
  'key-less': keyLess,
  'api-key': apiKey,
  jwt,
  oauth2,
  mtls,
  'transform-headers': transformHeaders,
  'transform-queryparams': transformQueryParams,
  'policy-assign-attributes': assignAttributes,
  'policy-assign-content': assignContent,
  'policy-override-request-method': overrideRequestMethod,
  'policy-interrupt': interrupt,
  cache,
  latency,
  'dynamic-routing': dynamicRouting,
  'http-redirect': httpRedirect,
  mock,
  'rate-limit': rateLimit,
  'shared-policy-group-policy': sharedPolicyGroupPolicy,
  quota,
  'spike-arrest': spikeArrest,
  'status-code': statusCode,
} as const satisfies Readonly<Record<string, PolicySchema>>;

/** Id of a policy of this version. */
export type PolicyId = keyof typeof catalog;

/** Parsed configuration of a policy, defaults filled. */
export type PolicyConfig<Id extends PolicyId> = z.output<(typeof catalog)[Id]['config']>;

/** Finds a policy; undefined for ids that this version does not know. */
export function policySchema(id: string): PolicySchema | undefined {
  return Object.hasOwn(catalog, id) ? catalog[id as PolicyId] : undefined;
}

/** Says whether a policy may refuse a request or answer in place of the backend; of an unknown one it is to be feared. */
export function mayRefuse(id: string): boolean {
  const schema = policySchema(id);
  return schema === undefined || schema.answers === true || Object.keys(schema.errors).length > 0;
}

/** Ids of the policies that may stand in a phase, sorted; for messages and for the console's palette. */
export function policyIds(phase: PolicySchema['phases'][number]): readonly string[] {
  return Object.values<PolicySchema>(catalog)
    .filter((policy) => policy.phases.includes(phase))
    .map((policy) => policy.id)
    .toSorted();
}
