import type { Code } from './codes.ts';

/** The part of the register that resources of the management API raise. */
export const managementCodes = {
  'api.path_taken': {
    status: 409,
    owner: 'client',
    text: 'Another API of this environment has this host and context path.',
  },
  'api.wrong_state': { status: 400, owner: 'client', text: 'The state of the API does not allow this.' },
  'api.not_version_2': {
    status: 400,
    owner: 'client',
    text: 'Only an API of version 2 can be migrated.',
    hint: 'Every API is of version 4 from its import on; isthmus convert judges definitions of version 2.',
  },
  'api.not_deployable': { status: 400, owner: 'client', text: 'The API cannot be deployed as it is.' },
  'plan.wrong_status': { status: 400, owner: 'client', text: 'The status of the plan does not allow this.' },
  'subscription.wrong_status': {
    status: 400,
    owner: 'client',
    text: 'The status of the subscription does not allow this.',
  },
  'subscription.refused': { status: 400, owner: 'client', text: 'This plan cannot be subscribed to.' },
  'api_key.taken': { status: 400, owner: 'client', text: 'This key is in use in the environment.' },
  'api_key.wrong_state': { status: 400, owner: 'client', text: 'The state of the key does not allow this.' },
  'application.client_id_taken': {
    status: 400,
    owner: 'client',
    text: 'A client id is of one application alone.',
    hint: 'Give each application a client id of its own, or take it away from the other one first.',
  },
  'application.certificate_taken': {
    status: 400,
    owner: 'client',
    text: 'A certificate is of one application alone.',
    hint: 'Give each application a certificate of its own, or take it away from the other one first.',
  },
  'application.certificate_needed': {
    status: 400,
    owner: 'client',
    text: 'The application has a subscription that is found by its certificate.',
    hint: 'Leave one certificate, or close its subscriptions to MTLS plans first.',
  },
  'shared_policy_group.in_use': { status: 400, owner: 'client', text: 'The shared policy group is in use.' },
  'dictionary.exists': {
    status: 400,
    owner: 'client',
    text: 'Another dictionary of this environment has this key.',
    hint: 'Choose another name, or give a key.',
  },
  'dictionary.key_collides_with_id': {
    status: 400,
    owner: 'client',
    text: 'The key is the id of another dictionary.',
    hint: 'Give another key.',
  },
  'dictionary.wrong_type': {
    status: 400,
    owner: 'client',
    text: 'The type of the dictionary does not allow this.',
  },
  'dictionary.wrong_state': {
    status: 400,
    owner: 'client',
    text: 'The state of the dictionary does not allow this.',
  },
  'members.invalid': {
    status: 400,
    owner: 'client',
    text: 'There is one primary owner, and nobody becomes it as a member.',
    hint: 'Transfer the ownership instead.',
  },
  'primary.owner.removal': {
    status: 400,
    owner: 'client',
    text: 'The primary owner cannot be taken away.',
    hint: 'Transfer the ownership first.',
  },
  'role.invalid': { status: 400, owner: 'client', text: 'There is no such role here.' },
  'role.exists': {
    status: 400,
    owner: 'client',
    text: 'There is a role of this name in the scope, or it is reserved.',
  },
  'role.notDeletable': {
    status: 404,
    owner: 'client',
    text: 'A role of the system, or one that is given by default, cannot be deleted.',
    hint: 'Make another role of the scope its default first.',
  },
  'role.transferNotAllowed': {
    status: 400,
    owner: 'client',
    text: 'The previous owner cannot be primary owner still.',
    hint: 'Name the role that the previous owner gets.',
  },
  'user.notFound': { status: 404, owner: 'client', text: 'There is no such user in the organization.' },
  'application.archived': { status: 400, owner: 'client', text: 'The application is archived.' },
} as const satisfies Readonly<Record<string, Code>>;
