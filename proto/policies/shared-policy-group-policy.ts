import { z } from 'zod';

import { definePolicy } from './policy-schema.ts';

/** Stands for the steps of a shared policy group, which are kept once for all APIs of an environment. */
export const sharedPolicyGroupPolicy = definePolicy({
  id: 'shared-policy-group-policy',
  title: 'Shared policy group',
  summary: 'Runs the steps of a shared policy group.',
  category: 'others',
  phases: ['request', 'response'],
  config: () =>
    z.strictObject({
      sharedPolicyGroupId: z.string().min(1).max(128),
      /** What an operator of Kubernetes writes beside it. */
      hrid: z.string().max(256).optional(),
    }),
  errors: {
    SHARED_POLICY_GROUP_MISSING: {
      status: 503,
      message: 'A part of this API is not deployed',
    },
  },
  docs: "The steps of the group run in this step's place, behind its condition, which is asked once. Groups belong to an environment and are deployed on their own: a changed one is in force at once in every API that uses it, and touches no other. A group holds no other groups. While the group is not deployed here, or is one of the other phase, each request that reaches the step is refused (the reference lets it pass unprotected), and the gateway's log names API and step; the management API refuses to deploy such an API, and to undeploy a group that a deployed one uses.",
  example: () => ({
    about: 'A group of steps that several APIs share.',
    request: [{ policy: 'shared-policy-group-policy', configuration: { sharedPolicyGroupId: 'tagging' } }],
    folder: {
      sharedPolicyGroups: [
        {
          id: 'tagging',
          name: 'Tagging',
          phase: 'REQUEST',
          steps: [
            {
              policy: 'transform-headers',
              configuration: { addHeaders: [{ name: 'X-Api', value: '{#api.name}' }] },
            },
          ],
        },
      ],
    },
    calls: [
      { request: {}, received: { headers: { 'X-Api': 'Shared policy group' } }, answer: { body: 'hello' } },
    ],
  }),
});
