import type { Code } from './codes.ts';

/** The part of the register about environments as a whole. */
export const tenancyCodes = {
  'quota.exceeded': {
    status: 400,
    owner: 'client',
    text: 'The quota of the environment is used up.',
    hint: 'Delete what nobody needs, or ask the operator for more (quotas.* of the control plane).',
  },
  'env.exists': {
    status: 400,
    owner: 'client',
    text: 'There is an environment of this name or readable id in the organization.',
  },
  'environment.inUse': {
    status: 400,
    owner: 'client',
    text: 'The environment is in use.',
    hint: 'Delete its APIs, archive its applications, and take it from the fleets that serve it first.',
  },
  'environment.last': {
    status: 400,
    owner: 'client',
    text: 'An organization has one environment at least.',
  },
} as const satisfies Readonly<Record<string, Code>>;
