import type { Database } from './tables.ts';

/** What a role may do with one table. Columns are listed, or 'all'. */
export interface TableGrant<Table> {
  readonly select?: Columns<Table>;
  readonly insert?: Columns<Table>;
  readonly update?: Columns<Table>;
  readonly delete?: true;
}

/** The same of any table, for who goes through all of them. */
export interface AnyGrant {
  readonly select?: 'all' | readonly string[];
  readonly insert?: 'all' | readonly string[];
  readonly update?: 'all' | readonly string[];
  readonly delete?: true;
}

type Columns<Table> = 'all' | readonly (keyof Table & string)[];

/** A decision for every table: a new one does not compile without a line here. */
export type Grants = { readonly [Table in keyof Database]: TableGrant<Database[Table]> | 'none' };

/**
 * What a bridge in a process of its own may do on PostgreSQL.
 *
 * It reads what is published and who may have it, lets gateways in by tokens, and writes what gateways say of themselves.
 * Stolen, it can do that and no more: no private key is readable, not even sealed, and nothing can be written that somebody
 * signs or obeys. Where the bridge and an operator write the same table, only the bridge's columns are granted.
 */
export const bridgeGrants: Grants = {
  organization: 'none',
  environment: { select: ['id', 'organization', 'pruned_seq'] },
  organization_root: { select: ['organization', 'public_key'] },
  root_succession: { select: ['organization', 'position', 'bytes'] },
  signing_key: 'none',
  data_key: 'none',
  sealed_fields: 'none',
  key_certificate: { select: 'all' },
  published_record: { select: ['organization', 'environment', 'seq', 'bytes'] },
  published_latest: { select: 'all' },
  published_head: { select: 'all' },
  tag_history: 'none',
  fleet: { select: ['id', 'organization', 'tags', 'tenant', 'environments'] },
  enrolment_token: {
    select: [
      'id',
      'organization',
      'fleet',
      'secret_sha256',
      'expires_at_ms',
      'uses_max',
      'uses',
      'is_revoked',
    ],
    update: ['uses'],
  },
  // It enrols, and keeps name and version fresh. Keys, fleet and revocation of a gateway that is there are not its to change.
  gateway: { select: 'all', insert: 'all', update: ['hostname', 'version'] },
  gateway_report: {
    select: 'all',
    insert: 'all',
    update: ['instance', 'started_at_ms', 'policies', 'counters', 'is_connected', 'received_at_ms'],
  },
  gateway_applied: {
    select: 'all',
    insert: 'all',
    update: ['epoch', 'seq', 'applied_at_ms'],
    delete: true,
  },
  gateway_nack: { select: 'all', insert: 'all', delete: true },
  gateway_event: { insert: 'all' },
  lease: 'none',

  user_account: 'none',
  user_session: 'none',
  personal_token: 'none',
  membership: 'none',
  custom_role: 'none',
  identity_provider: 'none',
  identity_activation: 'none',
  used_sign_in: 'none',
  second_factor: 'none',
  recovery_code: 'none',
  password_link: 'none',
  registration: 'none',
  sign_in_settings: 'none',
  user_preference: 'none',
  saved_view: 'none',
  sharding_tag: 'none',
  gateway_tenant: 'none',
  api_header: 'none',
  user_group: 'none',
  user_group_member: 'none',
  user_group_object: 'none',
  api: 'none',
  api_path: 'none',
  api_draft: 'none',
  api_search: 'none',
  api_word: 'none',
  api_import: 'none',
  application_certificate: 'none',
  application_client: 'none',
  api_deployment: 'none',
  metadata: 'none',
  entrypoint: 'none',
  api_page: 'none',
  api_review: 'none',
  api_picture: 'none',
  category: 'none',
  category_api: 'none',
  dashboard: 'none',
  shared_policy_group: 'none',
  shared_policy_group_version: 'none',
  dictionary: 'none',
  fetched: 'none',
  plan: 'none',
  application: 'none',
  subscription: 'none',
  api_key: 'none',
  api_key_subscription: 'none',
  outgoing_mail: 'none',
  idempotency_key: 'none',
  sample: 'none',
  outgoing_webhook: 'none',
  notification_setting: 'none',
  notification_template: 'none',
  raised_hook: 'none',
  end_told: 'none',
  portal_notification: 'none',
  audit: 'none',
  audit_head: 'none',

  lake_file: 'none',
  lake_retention: 'none',
  lake_deletion: 'none',
  covered_range: 'none',
  landing_object: 'none',
  unreadable_file: 'none',
  quarantine_tally: 'none',

  bucket: { select: 'all' },
  database_generation: 'none',

  // Proofs of identity are used up, and seats given, by whatever bridge a gateway dials. Stolen, it can unseat gateways
  // and refuse them; it could refuse them anyway.
  bridge_nonce_key: { select: 'all', insert: 'all', delete: true },
  used_nonce: { select: 'all', insert: 'all', delete: true },
  gateway_seat: { select: 'all', insert: 'all', update: 'all' },
};

const everything = { select: 'all', insert: 'all', update: 'all', delete: true } as const;

/** A control plane that does not own its tables: every row, no table. The owner's role runs `isthmus migrate`. */
export const controlPlaneGrants: Grants = Object.fromEntries(
  Object.keys(bridgeGrants).map((table) => [table, everything]),
) as Grants;

/** The roles that grants are printed for. */
export const grantedRoles = {
  bridge: { role: 'isthmus_bridge', grants: bridgeGrants },
  'control-plane': { role: 'isthmus_control_plane', grants: controlPlaneGrants },
} as const satisfies Readonly<Record<string, { readonly role: string; readonly grants: Grants }>>;

/** Name of one of them. */
export type GrantedProcess = keyof typeof grantedRoles;

/** What a role may do with a table: nothing when it is 'none', undefined for a table that is not ours. */
export function grantOn(grants: Grants, table: string): AnyGrant | undefined {
  const grant = new Map<string, AnyGrant | 'none'>(Object.entries(grants)).get(table);
  return grant === 'none' ? {} : grant;
}
