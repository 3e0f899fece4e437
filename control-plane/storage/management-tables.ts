/** The tables of control-plane/access and control-plane/management (since migration 0002); see tables.ts for the conventions. */
export interface ManagementTables {
  user_account: UserAccountTable;
  user_session: UserSessionTable;
  personal_token: PersonalTokenTable;
  membership: MembershipTable;
  api: ApiTable;
  api_path: ApiPathTable;
  api_deployment: ApiDeploymentTable;
  plan: PlanTable;
  application: ApplicationTable;
  subscription: SubscriptionTable;
  api_key: ApiKeyTable;
  audit: AuditTable;
}

/** Somebody who can sign in to an organization. */
export interface UserAccountTable {
  readonly id: string;
  readonly organization: string;
  /** Unique in the organization. */
  readonly username: string;
  /** Argon2id in PHC form. */
  password_hash: string;
  display_name: string;
  email: string | null;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** A signed-in browser; only the hash of its token is kept. */
export interface UserSessionTable {
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly organization: string;
  readonly user_id: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
}

/** A token that a user made for scripts; only its hash is kept. */
export interface PersonalTokenTable {
  readonly id: string;
  readonly organization: string;
  readonly user_id: string;
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number | null;
  last_use_at_ms: number | null;
}

/** A role that a user holds on something. One user is PRIMARY_OWNER of an API or application, no more. */
export interface MembershipTable {
  readonly organization: string;
  /** organization, environment, api, application ... */
  readonly scope: string;
  /** Id of the organization, environment, API or application. */
  readonly reference: string;
  /** USER; groups come later. */
  readonly member_type: string;
  readonly member: string;
  readonly role: string;
  readonly created_at_ms: number;
}

/** An API as its authors see it now; what gateways serve is the newest row of api_deployment. */
export interface ApiTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  /** Lower case, for search. */
  name_key: string;
  api_version: string;
  description: string;
  /** The definition in the management API's spelling, JSON. */
  definition: string;
  /** JSON list of sharding tags, sorted. */
  tags: string;
  visibility: string;
  lifecycle_state: string;
  /** STARTED or STOPPED. */
  state: string;
  readonly created_at_ms: number;
  /** Rises with every change, so it is the ETag. */
  updated_at_ms: number;
  /** 1 when something that gateways serve changed since the last deployment. */
  is_out_of_sync: number;
  /** Number of the newest deployment; 0 before the first. */
  deployed_number: number;
  deployed_at_ms: number | null;
  /** JSON list: the tags under which its subscriptions and keys are published. */
  deployed_tags: string;
}

/** Host and context path that an API takes in its environment; the primary key decides races. */
export interface ApiPathTable {
  readonly environment: string;
  /** Lower case; empty for any host. */
  readonly host: string;
  /** Ends with a slash. */
  readonly path: string;
  readonly organization: string;
  readonly api_id: string;
  readonly created_at_ms: number;
}

/** One deployment with what it published; written once. */
export interface ApiDeploymentTable {
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  /** 1, 2, 3 ... per API. */
  readonly number: number;
  readonly label: string | null;
  /** The canonical definition (proto/model/api.ts), JSON. */
  readonly definition: string;
  readonly tags: string;
  readonly user_id: string;
  readonly created_at_ms: number;
}

/** A plan of an API. */
export interface PlanTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  name: string;
  description: string;
  readonly security_type: string;
  /** Everything else that its author sets, JSON in the management API's spelling. */
  definition: string;
  readonly mode: string;
  validation: string;
  status: string;
  plan_order: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
  published_at_ms: number | null;
  closed_at_ms: number | null;
}

/** A consumer of APIs. */
export interface ApplicationTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  name: string;
  name_key: string;
  description: string;
  domain: string | null;
  readonly type: string;
  /** JSON. */
  settings: string;
  status: string;
  api_key_mode: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** An application's right to call an API under a plan. */
export interface SubscriptionTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  readonly plan_id: string;
  readonly application_id: string;
  status: string;
  consumer_status: string;
  /** What the consumer wrote. */
  request: string | null;
  /** What the publisher answered. */
  reason: string | null;
  /** JSON object of strings. */
  metadata: string;
  readonly subscribed_by: string;
  processed_by: string | null;
  readonly created_at_ms: number;
  updated_at_ms: number;
  processed_at_ms: number | null;
  starting_at_ms: number | null;
  ending_at_ms: number | null;
  paused_at_ms: number | null;
  closed_at_ms: number | null;
}

/** A key; its value was shown once and is not kept. */
export interface ApiKeyTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  readonly api_id: string;
  readonly application_id: string;
  readonly subscription_id: string;
  /** SHA-256 over environment and key, hex; unique in the environment. */
  readonly hash: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
  expire_at_ms: number | null;
  revoked_at_ms: number | null;
}

/** Who changed what; written once, in the transaction of the change. */
export interface AuditTable {
  readonly id: string;
  readonly organization: string;
  /** null for what belongs to the whole organization. */
  readonly environment: string | null;
  readonly reference_type: string;
  readonly reference_id: string;
  readonly user_id: string;
  readonly event: string;
  /** JSON: ids of what else was touched. */
  readonly properties: string;
  readonly created_at_ms: number;
}
