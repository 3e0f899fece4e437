/** The rows of notifications in the table of rights. */
export const notificationRights: Readonly<Record<string, string>> = {
  listEnvironmentHooks: '+++ +++ +++',
  listEnvironmentNotifiers: '++- --- ---',
  listEnvironmentNotificationSettings: '++- --- ---',
  createEnvironmentNotificationSetting: '++- --- ---',
  updateOwnEnvironmentNotificationSetting: '++- --- ---',
  updateEnvironmentNotificationSetting: '++- --- ---',
  deleteEnvironmentNotificationSetting: '++- --- ---',
  listApiHooks: '+++ +++ +++',
  listApiNotifiers: '++- ++- ---',
  listApiNotificationSettings: '++- ++- ---',
  createApiNotificationSetting: '++- ++- ---',
  updateOwnApiNotificationSetting: '++- ++- ---',
  updateApiNotificationSetting: '++- ++- ---',
  deleteApiNotificationSetting: '++- ++- ---',
  listApplicationHooks: '+++ +++ +++',
  listApplicationNotifiers: '++- --- +--',
  listApplicationNotificationSettings: '++- --- +--',
  createApplicationNotificationSetting: '++- --- +--',
  updateOwnApplicationNotificationSetting: '++- --- +--',
  updateApplicationNotificationSetting: '++- --- +--',
  deleteApplicationNotificationSetting: '++- --- +--',
  listNotificationTemplates: '+-- --- ---',
  createNotificationTemplate: '+-- --- ---',
  previewNotificationTemplate: '+-- --- ---',
  getNotificationTemplate: '+-- --- ---',
  updateNotificationTemplate: '+-- --- ---',
  deleteNotificationTemplate: '+-- --- ---',
  listNotifications: '+++ +++ +++',
  deleteNotifications: '+++ +++ +++',
  deleteNotification: '+++ +++ +++',
};

const own = { config_type: 'PORTAL' };

const template = { scope: 'API', hook: 'API_STARTED', type: 'EMAIL', title: 'x', content: 'y' };

/** What their operations are called with. */
export const notificationBodies: Readonly<Record<string, object>> = Object.fromEntries([
  ['createNotificationTemplate', template],
  ['previewNotificationTemplate', template],
  ['updateNotificationTemplate', template],
  ...['Environment', 'Api', 'Application'].flatMap((name) => [
    [`create${name}NotificationSetting`, own],
    [`updateOwn${name}NotificationSetting`, own],
    [`update${name}NotificationSetting`, { config_type: 'GENERIC' }],
  ]),
]);
