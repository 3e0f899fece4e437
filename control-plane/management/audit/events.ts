/** What the audit tells of, in the reference product's names where it has one, and in which words. */
export const auditEvents = {
  API_CREATED: 'An API was created.',
  API_UPDATED: 'The definition of an API, or what describes it, was changed.',
  API_DELETED: 'An API was deleted.',
  API_DRAFT_UPDATED: 'What somebody is writing of an API was kept; it is not the API yet.',
  API_DRAFT_DELETED: 'The draft of an API was thrown away.',
  API_DEBUGGED:
    'Somebody ran a request through the draft of an API, or through the API as it is written; no gateway learned of it.',
  API_STARTED: 'An API was started; gateways serve it as deployed last.',
  API_STOPPED: 'An API was stopped; gateways serve it no more.',
  API_DEPLOYED: 'An API was deployed; the property DEPLOYMENT holds the number.',
  API_DEPLOYMENT_LABELLED: 'A deployment of an API was given a label, or lost it.',
  API_ROLLBACKED:
    'An API was written as it was when it was deployed; the property DEPLOYMENT holds the number.',
  API_REVIEW_ASKED: 'Somebody asked for a review of an API.',
  API_REVIEW_ACCEPTED: 'An API that was in review was accepted.',
  API_REVIEW_REJECTED: 'Changes of an API that was in review were asked for.',
  PAGE_CREATED: 'A page of documentation was written.',
  PAGE_UPDATED: 'A page of documentation was changed, moved or taken back.',
  PAGE_PUBLISHED: 'A page of documentation was published.',
  PAGE_DELETED: 'A page of documentation was deleted.',
  PAGE_FETCH_FAILED: 'A page cannot be fetched by its schedule; it stays as it is.',
  PAGE_FETCH_RECOVERED: 'A page can be fetched by its schedule again.',
  CATEGORY_CREATED: 'A category was made.',
  CATEGORY_UPDATED: 'A category, or the order of its APIs, was changed.',
  CATEGORY_DELETED: 'A category was deleted; APIs name it no more.',
  DASHBOARD_CREATED: 'A dashboard was made.',
  DASHBOARD_UPDATED: 'A dashboard was changed.',
  DASHBOARD_DELETED: 'A dashboard was deleted.',
  API_PROPERTIES_FETCH_FAILED: 'Properties of an API cannot be fetched; gateways keep the former ones.',
  API_PROPERTIES_FETCH_RECOVERED: 'Properties of an API can be fetched again.',
  PLAN_CREATED: 'A plan was created.',
  PLAN_UPDATED: 'A plan was changed.',
  PLAN_PUBLISHED: 'A plan was published.',
  PLAN_DEPRECATED: 'A plan was deprecated: no new subscriptions, those there are go on.',
  PLAN_CLOSED: 'A plan was closed, and its subscriptions with it.',
  PLAN_DELETED: 'A plan that nobody had subscribed to was deleted.',
  SUBSCRIPTION_CREATED: 'An application subscribed to a plan.',
  SUBSCRIPTION_ACCEPTED: 'A subscription was accepted.',
  SUBSCRIPTION_REJECTED: 'A subscription was rejected.',
  SUBSCRIPTION_CLOSED: 'A subscription was closed.',
  SUBSCRIPTION_UPDATED: 'The dates of a subscription, or what is noted of it, were changed.',
  SUBSCRIPTION_TRANSFERRED: 'A subscription was moved to another plan of its API.',
  SUBSCRIPTION_PAUSED: 'A subscription was paused: gateways refuse its calls.',
  SUBSCRIPTION_RESUMED: 'A paused subscription was resumed.',
  SUBSCRIPTION_PAUSED_BY_CONSUMER: 'A subscription was stopped by its consumer: gateways refuse its calls.',
  SUBSCRIPTION_RESUMED_BY_CONSUMER: 'A subscription was started again by its consumer.',
  APIKEY_CREATED: 'A subscription was given an API key.',
  APIKEY_RENEWED: 'A subscription was given a new API key; the others end soon.',
  APIKEY_REVOKED: 'An API key was revoked.',
  APIKEY_EXPIRED: 'Somebody said when an API key ends.',
  APIKEY_REACTIVATED: 'An API key that was revoked or had expired is in force again.',
  APPLICATION_CREATED: 'An application was created.',
  APPLICATION_UPDATED: 'An application was changed.',
  APPLICATION_RESTORED: 'An archived application was brought back; its subscriptions wait to be accepted.',
  APPLICATION_ARCHIVED: 'An application was archived.',
  METADATA_CREATED: 'A field was noted of an environment, API or application; METADATA holds its key.',
  METADATA_UPDATED: 'A field that is noted of an environment, API or application was changed.',
  METADATA_DELETED: 'A field that was noted of an environment, API or application was removed.',
  MEMBERSHIP_CREATED:
    'A user was given a role on an API, application, environment or organization, or roles in a group; the property ROLE names them.',
  MEMBERSHIP_UPDATED: 'A user was given another role on an API or application, or other roles in a group.',
  MEMBERSHIP_DELETED:
    'A user lost a role on an API, application, environment or organization, or left a group.',
  NOTIFICATION_SETTING_CREATED: 'Somebody is told what happens to an API, an application or the users.',
  NOTIFICATION_SETTING_UPDATED: 'Who is told what happens, or of what, was changed.',
  NOTIFICATION_SETTING_DELETED: 'Addresses or a webhook are told no more what happens.',
  GROUP_CREATED: 'A group of users was made.',
  GROUP_UPDATED: 'A group of users was changed, or given to all APIs or applications of the environment.',
  GROUP_DELETED: 'A group of users was deleted: what its members held by it they hold no more.',
  ROLE_CREATED: 'A role was made; the property ROLE names it with its scope.',
  ROLE_UPDATED: 'What a role permits was changed: it counts from the next request on for all who hold it.',
  ROLE_DELETED: 'A role was deleted; who held it holds the default role of its scope.',
  SHARED_POLICY_GROUP_CREATED: 'A shared policy group was created.',
  SHARED_POLICY_GROUP_UPDATED: 'A shared policy group was changed; gateways learn of it when it is deployed.',
  SHARED_POLICY_GROUP_DEPLOYED:
    'A shared policy group was deployed: it is in force in every API that uses it.',
  SHARED_POLICY_GROUP_UNDEPLOYED: 'A shared policy group was withdrawn from gateways.',
  SHARED_POLICY_GROUP_DELETED: 'A shared policy group was deleted.',
  DICTIONARY_CREATED: 'A dictionary was created.',
  DICTIONARY_UPDATED: 'A dictionary was changed; words of a manual one reach gateways when it is deployed.',
  DICTIONARY_DELETED: 'A dictionary was deleted.',
  DICTIONARY_DEPLOYED: 'The words of a manual dictionary were sent to gateways.',
  DICTIONARY_UNDEPLOYED: 'A manual dictionary was taken from gateways.',
  DICTIONARY_STARTED: 'A dynamic dictionary was started: its words are fetched and sent to gateways.',
  DICTIONARY_STOPPED: 'A dynamic dictionary was stopped and taken from gateways.',
  DICTIONARY_FETCH_FAILED:
    'The words of a dynamic dictionary cannot be fetched; gateways keep the former ones.',
  DICTIONARY_FETCH_RECOVERED: 'The words of a dynamic dictionary can be fetched again.',
  ORGANIZATION_FLOWS_UPDATED:
    'The flows of an organization, its name or description were changed; the flows are in force in all of its environments.',
  ENVIRONMENT_CREATED: 'An environment was created.',
  ENVIRONMENT_UPDATED: 'Name or description of an environment was changed.',
  ENVIRONMENT_ARCHIVED: 'An environment was taken out of use for good.',
  ENTRYPOINT_CREATED: 'Somebody said where gateways with certain sharding tags are reached.',
  ENTRYPOINT_UPDATED: 'Where gateways with certain sharding tags are reached was changed.',
  ENTRYPOINT_DELETED: 'Where gateways with certain sharding tags are reached is said no more.',
  FLEET_CREATED: 'A fleet of gateways was created.',
  FLEET_UPDATED: 'A fleet was changed: its name, environments or tags.',
  FLEET_DELETED: 'A fleet was deleted.',
  ENROLMENT_TOKEN_CREATED: 'A token was made with which gateways enrol in a fleet.',
  ENROLMENT_TOKEN_REVOKED: 'An enrolment token was revoked.',
  GATEWAY_REVOKED: 'The identity of a gateway was revoked.',
  GATEWAY_RESEATED: 'An operator settled which of two processes with one identity is the gateway.',
  TOKEN_CREATED: 'A user made a token for the management API.',
  TOKEN_DELETED: 'A user deleted a token for the management API.',
  IDENTITY_PROVIDER_CREATED: 'Somebody outside was trusted to say who people are.',
  IDENTITY_PROVIDER_UPDATED: 'An identity provider was changed; the client secret is in no audit.',
  IDENTITY_PROVIDER_DELETED:
    'An identity provider was deleted: what its mapping gave is gone, and the sessions of its users ended.',
  IDENTITY_PROVIDER_ACTIVATED:
    'People may come in by an identity provider, or it gives something in an environment.',
  IDENTITY_PROVIDER_DEACTIVATED:
    'Nobody comes in by an identity provider any more, or it gives nothing more in an environment.',
  USER_CREATED: 'A user was created.',
  USER_UPDATED: 'What is known of a user was changed.',
  USER_DISABLED: 'A user was disabled: sessions ended, and neither password nor token opens anything.',
  USER_ENABLED: 'A user who was disabled may come in again.',
  USER_DELETED: 'A user was deleted with all that tells who it was; the property USER still names the id.',
  USER_CONNECTED: 'A user signed in.',
  USER_PASSWORD_CHANGED: 'A user changed the own password; the other sessions of the user ended.',
  PASSWORD_RESET:
    'An operator on the command line, or somebody who writes users, gave a user a new password; all sessions of the user ended.',
  GLASS_BROKEN:
    'An operator on the command line made or enabled an administrator, who comes in by password for a day.',
  SESSIONS_CLOSED: 'A user ended sessions of the own account.',
  PASSWORD_LINK_SENT:
    'Somebody asked for a link by which a user, whom it was sent to, chooses another password.',
  PASSWORD_CHOSEN: 'A user chose a password by a link that was sent; all sessions of the user ended.',
  SECOND_FACTOR_CONFIRMED:
    'A user has set up an authenticator app: the password opens nothing without a code. The other sessions of the user ended.',
  SECOND_FACTOR_REMOVED: 'A user took the own second factor away; the password opens by itself.',
  SECOND_FACTOR_RESET:
    'Somebody who writes users took the second factor of a user away; all sessions of the user ended.',
  RECOVERY_CODES_CREATED: 'A user was given new recovery codes; those before count no more.',
  RECOVERY_CODE_USED:
    'A user signed in, or changed the second factor, by a recovery code, which counts no more.',
  SIGN_IN_SETTINGS_UPDATED: 'What the organization asks of who signs in was changed.',
  DEMO_CREATED: 'The first start made an API to look at.',
  BUCKET_ADOPTED: 'An operator told the database that another bucket is its own.',
  KEYS_REVOKED:
    'An operator gave an environment a new publishing key and the next epoch; the keys before sign nothing any more.',
  ROOT_REPLACED: 'An operator gave the organization a new root key, which the old one names.',
  DATA_KEY_REPLACED:
    'An operator gave an environment, or the organization itself, a new key for the secrets of definitions; the one before is deleted.',
  KEK_REPLACED:
    'An operator gave the control plane a new key-encryption key; what keys lie in the database are sealed under it.',
  LAKE_REBUILT: 'The manifest of the lake was made anew out of the bucket.',
} as const;

/** Something that the audit tells of. */
export type AuditEvent = keyof typeof auditEvents;

const ofRights =
  /^(?:API_DELETED|APPLICATION_ARCHIVED|(?:MEMBERSHIP|GROUP|ROLE|TOKEN|IDENTITY_PROVIDER|USER|SESSIONS)_\w+|PASSWORD_RESET)$/;

/** Whether somebody may have other rights afterwards, so that who is let in for long is judged anew. */
export const changesRights = (event: AuditEvent): boolean => ofRights.test(event);
