import type { people } from './rights/table.ts';

/**
 * Who holds what by a group: the column of whom it is the same as, and what is open to him besides. The group of one has the API and the
 * application, that of another has others of the environment.
 */
export const peopleByGroup = {
  apiOwnerByGroup: { as: 'apiOwner', besides: [] },
  applicationUserByGroup: { as: 'applicationUser', besides: [] },
  ownerOfOtherApiByGroup: { as: 'user', besides: [] },
  groupAdministrator: { as: 'user', besides: ['updateGroup', 'setGroupMembers', 'removeGroupMember'] },
} as const satisfies Readonly<
  Record<string, { readonly as: (typeof people)[number]; readonly besides: readonly string[] }>
>;
