import type { Code } from './codes.ts';

/** The part of the register about environments as a whole, and about what their gateways are sharded by. */
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
  'tag.exists': { status: 400, owner: 'client', text: 'There is a sharding tag of this key.' },
  'tag.notFound': { status: 404, owner: 'client', text: 'There is no such sharding tag.' },
  'tag.notAllowed': {
    status: 400,
    owner: 'client',
    text: 'The sharding tag is kept for groups of which you are no member.',
  },
  'tag.inUse': {
    status: 400,
    owner: 'client',
    text: 'The sharding tag is in use.',
    hint: 'Take it from the APIs, plans, fleets and entrypoints that name it first.',
  },
  'tenant.exists': { status: 400, owner: 'client', text: 'There is a tenant of this key.' },
  'tenant.notFound': { status: 404, owner: 'client', text: 'There is no such tenant.' },
  'tenant.inUse': {
    status: 400,
    owner: 'client',
    text: 'The tenant is in use.',
    hint: 'Give the fleets that stand there another one first.',
  },
  'apiHeader.notFound': { status: 404, owner: 'client', text: 'There is no such header of APIs.' },
} as const satisfies Readonly<Record<string, Code>>;
