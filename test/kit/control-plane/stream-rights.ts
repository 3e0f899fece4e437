/** Whom streams let in: whoever may read what they tell of. A part of the table of rights, which says what the signs mean. */
export const streamRights = {
  followApiLogs: '++- ++- ---',
  followLogs: '+++ +++ +++',
  followApiDeployment: '++- ++- ---',
  followInstances: '++- --- ---',
  followApiHealth: '++- ++- ---',
  followApiTraffic: '++- ++- ---',
  followTraffic: '+++ +++ +++',
} as const;

/** The rows of environments as a whole, and of what people keep for themselves; how they read, `rights-table.ts` says. */
export const environmentRights: Readonly<Record<string, string>> = {
  getPreferences: '+++ +++ +++',
  updatePreferences: '+++ +++ +++',
  listViews: '+++ +++ +++',
  createView: '+++ +++ +++',
  getView: '+++ +++ +++',
  updateView: '+++ +++ +++',
  deleteView: '+++ +++ +++',
  listQuotas: '+++ +++ +++',
  getRetention: '++- --- ---',
  updateRetention: '++- --- ---',
  listKeptRecords: '++- --- ---',
  listDeletions: '++- --- ---',
  askDeletion: '++- --- ---',
  countDeletion: '++- --- ---',
  getDeletion: '++- --- ---',
  listSamples: '+++ +++ +++',
  removeSamples: '++- --- ---',
  createEnvironment: '+-- --- ---',
  updateEnvironment: '+-- --- ---',
  archiveEnvironment: '+-- --- ---',
  listEnvironments: '+++ +++ +++',
  getEnvironment: '+++ +++ +++',
  listEnvironmentsV1: '+++ +++ +++',
};
