/** Whom streams let in: whoever may read what they tell of; how the rows read, `table.ts` says. */
export const streamRights: Readonly<Record<string, string>> = {
  followApiLogs: '++- ++- ---',
  followLogs: '+++ +++ +++',
  followApiDeployment: '++- ++- ---',
  followInstances: '++- --- ---',
  followApiHealth: '++- ++- ---',
  followApiTraffic: '++- ++- ---',
  followTraffic: '+++ +++ +++',
};
