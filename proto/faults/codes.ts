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
 * the policies' schemas and in data-plane/gateway/refusals.ts.
 */
export const codes = define({
  'platform.bug': {
    status: 500,
    owner: 'platform',
    text: 'Unexpected error.',
    hint: 'Report it with the transaction id; the log has the stack.',
  },
  'config.invalid': { status: 500, owner: 'config', text: 'The configuration is not valid.' },
  'config.unreadable': { status: 500, owner: 'config', text: 'The configuration file cannot be read.' },
  'process.port_taken': {
    status: 500,
    owner: 'config',
    text: 'The port is in use.',
    hint: 'Stop what listens there, or choose another port with --port-offset.',
  },

  'request.invalid': { status: 400, owner: 'client', text: 'The request is not valid.' },
  'request.unauthorized': { status: 401, owner: 'client', text: 'Authentication is required.' },
  'request.forbidden': { status: 403, owner: 'client', text: 'You do not have the permission for this.' },
  'request.not_found': { status: 404, owner: 'client', text: 'There is no such resource.' },
  'request.method_not_allowed': { status: 405, owner: 'client', text: 'The method is not allowed here.' },
  'request.not_acceptable': {
    status: 406,
    owner: 'client',
    text: 'None of the accepted media types can be answered.',
  },
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

  'outbound.refused_address': {
    status: 400,
    owner: 'client',
    text: 'This address may not be called.',
    hint: 'Add it to the allow list of outbound calls.',
  },
  'outbound.unreachable': { status: 502, owner: 'upstream', text: 'The remote side cannot be reached.' },
  'outbound.timeout': { status: 504, owner: 'upstream', text: 'The remote side did not answer in time.' },
  'outbound.too_large': {
    status: 502,
    owner: 'upstream',
    text: 'The answer of the remote side is too large.',
  },

  'storage.unavailable': {
    status: 503,
    owner: 'platform',
    text: 'The database does not answer.',
    hint: 'Try again; if it lasts, check database.url.',
  },
  'storage.newer_schema': {
    status: 500,
    owner: 'config',
    text: 'The database was written by a newer version.',
    hint: 'Run the newer version, or restore a backup.',
  },
  'blobs.unavailable': { status: 503, owner: 'platform', text: 'The object store does not answer.' },
  'blobs.conflict': { status: 409, owner: 'platform', text: 'The object exists with other content.' },

  'trust.malformed': { status: 400, owner: 'client', text: 'The signed message is malformed.' },
  'trust.bad_signature': { status: 401, owner: 'client', text: 'The signature does not verify.' },
  'trust.expired': { status: 401, owner: 'client', text: 'The signed message has expired.' },
  'trust.unknown_key': {
    status: 401,
    owner: 'client',
    text: 'The key is not known or was not signed by the trusted root.',
  },
  'secrets.no_key': {
    status: 500,
    owner: 'config',
    text: 'The key-encryption key that sealed this is not configured.',
    hint: 'Add the old key to secrets.keys.',
  },
  'wire.malformed': { status: 400, owner: 'client', text: 'The frame is malformed.' },
  'wire.too_large': { status: 413, owner: 'client', text: 'The frame is larger than allowed.' },
  'spool.corrupt': { status: 500, owner: 'platform', text: 'The spool segment is corrupt.' },
});

/** A registered fault code. */
export type FaultCode = keyof typeof codes;
