import { managementCodes } from './management-codes.ts';
import { tenancyCodes } from './tenancy-codes.ts';

/** Who has to act when a fault appears. */
export type FaultOwner = 'client' | 'config' | 'routing' | 'capacity' | 'upstream' | 'platform';

/** What the register says of one code. */
export interface Code {
  /** HTTP status at a door; CLI commands ignore it. */
  readonly status: number;
  readonly owner: FaultOwner;
  /** For strangers. */
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

const define = <const Register extends Record<string, Code>>(register: Register): Register => register;

/**
 * The register of every fault code of the platform: `<room>.<what>` in snake case.
 *
 * The data plane's refusals are not here: they use the error keys of the reference product, declared in
 * the policies' schemas and in data-plane/gateway/errors/refusals.ts.
 */
export const codes = define({
  'platform.bug': {
    status: 500,
    owner: 'platform',
    text: 'Unexpected error.',
    hint: 'Report it with the transaction id; the log has the stack.',
  },
  'config.invalid': { status: 500, owner: 'config', text: 'The configuration is not valid.' },
  'config.unreadable': {
    status: 500,
    owner: 'config',
    text: 'A file of the configuration cannot be read.',
    hint: 'Check the path for a slip, and whether the user of this process may read the file.',
  },
  'process.port_taken': {
    status: 500,
    owner: 'config',
    text: 'The port is in use.',
    hint: 'Stop what listens there, or choose another port.',
  },
  'process.port_refused': {
    status: 500,
    owner: 'config',
    text: 'The port cannot be opened.',
    hint: 'The host has to be an address of this machine; ports below 1024 need a permission.',
  },
  'process.folder_in_use': {
    status: 500,
    owner: 'config',
    text: 'The data folder is in use.',
    hint: 'Stop that process, or give this one a folder of its own (--data-dir).',
  },
  'process.not_ready': {
    status: 500,
    owner: 'platform',
    text: 'A part of the process did not become ready.',
    hint: 'Start it with --set log.level=info (isthmus up: --log-level info) to see why.',
  },

  'system.missing': {
    status: 500,
    owner: 'config',
    text: 'A file or folder is not there.',
    hint: 'Check the path for a slip; a relative one starts at the folder of the process.',
  },
  'system.forbidden': {
    status: 500,
    owner: 'config',
    text: 'A file or folder is closed to the user of this process.',
    hint: 'Run it as the user whom the file belongs to, or give that user the right (chown, chmod), on the folders above it too.',
  },
  'system.full': {
    status: 500,
    owner: 'platform',
    text: 'The disk is full.',
    hint: 'Make room (df -h and df -i show where), or move the folder to another disk.',
  },
  'system.in_the_way': {
    status: 500,
    owner: 'config',
    text: 'Something else stands where a file or folder has to be.',
    hint: 'Move it away, or choose another path.',
  },
  'system.exhausted': {
    status: 500,
    owner: 'platform',
    text: 'No open file or memory is left.',
    hint: 'Raise the limit of open files (ulimit -n, LimitNOFILE= in a unit), or give the machine memory.',
  },
  'system.failed': {
    status: 500,
    owner: 'platform',
    text: 'The disk or the file system fails.',
    hint: 'The log of the kernel (dmesg) says more; if the disk is well, report it.',
  },

  'request.invalid': { status: 400, owner: 'client', text: 'The request is not valid.' },
  'request.unauthorized': { status: 401, owner: 'client', text: 'Authentication is required.' },
  'request.forbidden': { status: 403, owner: 'client', text: 'You do not have the permission for this.' },
  'request.not_found': { status: 404, owner: 'client', text: 'There is no such resource.' },
  'request.method_not_allowed': { status: 405, owner: 'client', text: 'The method is not allowed here.' },
  'request.conflict': {
    status: 409,
    owner: 'client',
    text: 'The state of the resource does not allow this.',
  },
  'request.precondition_failed': {
    status: 412,
    owner: 'client',
    text: 'The resource has changed since it was read.',
    hint: 'Read it again and send its ETag in If-Match.',
  },
  'request.too_large': { status: 413, owner: 'client', text: 'The body is too large.' },
  'request.head_too_large': {
    status: 431,
    owner: 'client',
    text: 'The head of the request is too large.',
  },
  'request.unsupported_media_type': {
    status: 415,
    owner: 'client',
    text: 'The content type is not supported.',
    hint: 'Send application/json.',
  },
  'request.too_many': {
    status: 429,
    owner: 'client',
    text: 'Too many requests.',
    hint: 'Wait for the time in Retry-After.',
  },
  'request.timeout': { status: 408, owner: 'client', text: 'The request took too long.' },
  'request.broken_off': { status: 400, owner: 'client', text: 'The body broke off.' },

  'outbound.refused_address': {
    status: 400,
    owner: 'client',
    text: 'This address may not be called.',
    hint: 'Add it to the allow list of outbound calls.',
  },
  'outbound.invalid_url': {
    status: 400,
    owner: 'client',
    text: 'This is not a URL that can be called.',
    hint: 'Use http(s):// or ws(s):// with a host and without user information.',
  },
  'outbound.proxy_refused': {
    status: 502,
    owner: 'config',
    text: 'The proxy refused to connect.',
    hint: 'Check outbound.proxy.url, its user and password, and what the proxy allows.',
  },
  'outbound.tls': {
    status: 502,
    owner: 'upstream',
    text: 'The certificate of the remote side is not trusted, or it refused ours.',
    hint: 'An expired certificate is renewed by the remote side; else check outbound.caFile, the certificate that is shown beside it, and the name in the URL.',
  },
  'outbound.handshake_refused': {
    status: 502,
    owner: 'upstream',
    text: 'The remote side refused to open a WebSocket.',
  },
  'outbound.unreachable': { status: 502, owner: 'upstream', text: 'The remote side cannot be reached.' },
  'outbound.timeout': { status: 504, owner: 'upstream', text: 'The remote side did not answer in time.' },
  'outbound.bad_answer': {
    status: 502,
    owner: 'upstream',
    text: 'The answer of the remote side cannot be understood.',
  },
  'outbound.too_large': {
    status: 502,
    owner: 'upstream',
    text: 'The answer of the remote side is too large.',
  },

  'storage.unavailable': {
    status: 503,
    owner: 'platform',
    text: 'The database does not answer.',
    hint: 'Try again; if it lasts, check host, port, user, password and name in database.url.',
  },
  'storage.corrupt': {
    status: 500,
    owner: 'platform',
    text: 'The database file is damaged.',
    hint: 'Restore a backup; a gateway makes a new cache by itself.',
  },
  'storage.newer_schema': {
    status: 500,
    owner: 'config',
    text: 'The database was written by a newer version.',
    hint: 'Run the newer version, or restore a backup.',
  },
  'storage.older_schema': {
    status: 500,
    owner: 'config',
    text: 'The database has an older schema than this version needs.',
    hint: 'Run isthmus migrate, or start the new control plane, with the same database.',
  },
  'storage.missing': {
    status: 500,
    owner: 'config',
    text: 'There is no database of the platform here.',
    hint: 'Check database.url and dataDir for a slip; isthmus migrate makes a new database.',
  },
  'storage.in_use': {
    status: 409,
    owner: 'config',
    text: 'A control plane runs on this database.',
    hint: 'Stop every control plane of this database first; nothing was changed.',
  },
  'storage.replaced': {
    status: 503,
    owner: 'platform',
    text: 'The database is not the one this process started on: it was restored or replaced meanwhile.',
    hint: 'This process writes nothing more and ends. Start it again when the restore is through; it then reads what was restored.',
  },
  'storage.not_granted': {
    status: 503,
    owner: 'config',
    text: 'The role with which the database is opened lacks a grant.',
    hint: 'Apply the SQL of isthmus migrate --print-grants as the owner of the tables.',
  },
  'blobs.unavailable': {
    status: 503,
    owner: 'platform',
    text: 'The object store does not answer.',
    hint: 'Try again; if it lasts, check endpoint, bucket and keys in blobs.s3, or the folder in blobs.dir.',
  },
  'blobs.unclaimed': {
    status: 503,
    owner: 'config',
    text: 'The database has no bucket yet.',
    hint: 'Start the control plane on this database once: it gives the bucket its identity.',
  },
  'blobs.not_adoptable': {
    status: 409,
    owner: 'config',
    text: 'The bucket is neither empty nor the one of this database.',
  },
  'blobs.wrong_bucket': {
    status: 503,
    owner: 'config',
    text: 'The bucket is not the one that belongs to the database.',
    hint: 'isthmus bucket show says which bucket bears which identity.',
  },
  'blobs.too_large': { status: 500, owner: 'platform', text: 'The object has more bytes than can be true.' },
  'blobs.conflict': { status: 409, owner: 'platform', text: 'The object exists with other content.' },

  'trust.malformed': { status: 400, owner: 'client', text: 'The signed message is malformed.' },
  'trust.bad_signature': { status: 401, owner: 'client', text: 'The signature does not verify.' },
  'trust.expired': { status: 401, owner: 'client', text: 'The signed message has expired.' },
  'trust.wrong_audience': {
    status: 401,
    owner: 'client',
    text: 'The assertion is for another bridge.',
    hint: 'Add the URL that gateways dial to publicUrls of the bridge.',
  },
  'trust.replayed': { status: 401, owner: 'client', text: 'The assertion was presented before.' },
  'trust.bad_nonce': {
    status: 401,
    owner: 'client',
    text: 'The nonce is not one of ours, or too old.',
    hint: 'Ask again with the nonce of this answer (x-isthmus-nonce).',
  },
  'secrets.no_key': {
    status: 500,
    owner: 'config',
    text: 'The key-encryption key that sealed this is not configured.',
    hint: 'Put the key file that sealed it back into secrets.dir (by default, secrets in the data folder).',
  },
  'secrets.key_missing': { status: 503, owner: 'config', text: 'The key that sealed a secret is not here.' },
  'secrets.tampered': {
    status: 500,
    owner: 'platform',
    text: 'A sealed value does not open.',
    hint: 'It was changed or moved since it was sealed; restore a backup.',
  },
  'wire.malformed': { status: 400, owner: 'client', text: 'The frame is malformed.' },
  'wire.too_large': { status: 413, owner: 'client', text: 'The frame is larger than allowed.' },
  'enrolment.refused': {
    status: 403,
    owner: 'config',
    text: 'The bridge refuses to enrol this gateway.',
    hint: 'Make a new enrolment token on the fleet and check the address of the bridge.',
  },
  'enrolment.plain_http': {
    status: 400,
    owner: 'config',
    text: 'Over plain HTTP whoever is on the way could read the enrolment token and enrol with it.',
    hint: 'Give the bridge TLS and make a token with its https URL, or set bridge.url to that. On a way that you trust: --set bridge.allowPlainHttp=true.',
  },
  'bridge.unknown_gateway': {
    status: 401,
    owner: 'client',
    text: 'This gateway is not enrolled here.',
    hint: 'Enrol it with a token of its fleet.',
  },
  'bridge.revoked': {
    status: 403,
    owner: 'client',
    text: 'This gateway was revoked.',
    hint: 'Enrol it again with a new token, if it should come back.',
  },
  'bridge.identity_in_use': {
    // Not 409: to an upload that would say that its bytes are the trouble.
    status: 403,
    owner: 'client',
    text: 'Another instance holds the seat of this identity.',
    hint: 'Enrol each gateway by itself; a copied data folder is a copied identity. `isthmus fleet reseat <gateway>` settles who is the right one.',
  },
  'bridge.seat_required': {
    status: 403,
    owner: 'client',
    text: 'This process has no seat.',
    hint: 'Claim it first: POST /bridge/v1/seat.',
  },
  'bridge.grant_changed': {
    status: 409,
    owner: 'config',
    text: 'What the fleet may see has changed.',
    hint: 'Connect again.',
  },
  'bridge.busy': { status: 503, owner: 'capacity', text: 'The bridge is busy; try again later.' },
  'bridge.closing': { status: 503, owner: 'platform', text: 'The bridge is closing; connect again.' },
  'bridge.length_required': {
    status: 411,
    owner: 'client',
    text: 'A body needs its Content-Length here.',
  },
  'bridge.hash_mismatch': {
    status: 400,
    owner: 'client',
    text: 'The bytes are not those that their name promises.',
    hint: 'Send the same bytes under the same key again.',
  },
  'client.no_context': {
    status: 400,
    owner: 'config',
    text: 'No control plane is chosen.',
    hint: 'Sign in with `isthmus login --url <url of the control plane>`, or set ISTHMUS_URL and ISTHMUS_TOKEN.',
  },
  'client.unreachable': {
    status: 502,
    owner: 'config',
    text: 'The control plane does not answer.',
    hint: 'Check the URL of the context (`isthmus context list`), and whether the control plane runs.',
  },
  'client.refused': { status: 400, owner: 'client', text: 'The control plane refused.' },
  'client.not_found': { status: 404, owner: 'client', text: 'There is no such object.' },
  'client.ambiguous': {
    status: 409,
    owner: 'client',
    text: 'Several objects have this name.',
    hint: 'Say which one by its id.',
  },
  'spool.corrupt': { status: 500, owner: 'platform', text: 'The spool segment is corrupt.' },
  ...managementCodes,
  ...tenancyCodes,
  'csrf.missing': {
    status: 403,
    owner: 'client',
    text: 'A change by cookie needs the X-Xsrf-Token header.',
    hint: 'Send the value of the XSRF-TOKEN cookie as X-Xsrf-Token.',
  },
  'csrf.cross_site': {
    status: 403,
    owner: 'client',
    text: 'A page of another site may not use the credentials that a browser keeps.',
    hint: 'Use a personal token as Bearer; behind a proxy set publicUrl to the URL that browsers see.',
  },
  'analytics.failed': { status: 503, owner: 'platform', text: 'The figures cannot be calculated now.' },
  'analytics.overloaded': {
    status: 503,
    owner: 'capacity',
    text: 'Too many queries are waiting.',
    hint: 'Try again in a moment.',
  },
  'analytics.unavailable': {
    status: 503,
    owner: 'platform',
    text: 'Analytics do not run in this process.',
    hint: 'Ask a control plane that runs with analytics.',
  },
});

/** A registered fault code. */
export type FaultCode = keyof typeof codes;
