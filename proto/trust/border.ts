/** A refusal at the border that lasts until a human acts: what health, log and metrics say of it. */
export interface BorderTrouble {
  /** What the bridge said, or `sync.*`, `outbound.*` and `blobs.*` for what was found on this side. Bounded: a label of metrics. */
  readonly code: string;
  /** A sentence. */
  readonly text: string;
  /** What to do. */
  readonly remedy: string;
}

const anew =
  'enrol it again with a new token of its fleet, isthmus enroll --replace, and start it; its records follow';

const table: Readonly<Record<string, Omit<BorderTrouble, 'code'>>> = {
  'bridge.unknown_gateway': {
    text: 'The bridge does not know this gateway.',
    remedy: `Its database is another one, or was restored from a backup that is older than this gateway. When the address of the bridge is right: ${anew}.`,
  },
  'bridge.revoked': {
    text: 'This gateway was revoked.',
    remedy: `Take it out of service; if it should come back: ${anew}.`,
  },
  'bridge.identity_in_use': {
    text: "Another process holds the seat of this gateway's identity.",
    remedy:
      'Enrol a copied machine on its own (without identity.json and seat.json of the other), or settle it where the control plane runs with: isthmus fleet reseat.',
  },
  'trust.wrong_audience': {
    text: 'The bridge has another name than the URL that is dialled.',
    remedy: 'Add this URL to publicUrls of the bridge, or dial one that stands there (bridge.url).',
  },
  'trust.bad_signature': {
    text: 'The bridge knows this gateway by another key.',
    remedy: `identity.json is not the one of its last enrolment, or the bridge is another installation's. Put the right file back, or: ${anew}.`,
  },
  'trust.malformed': {
    text: 'The bridge cannot read the proof of identity.',
    remedy:
      'Something between here and the bridge changes the Authorization header, or the bridge is of another version: upgrade the older side.',
  },
  'trust.bad_nonce': {
    text: 'The bridge takes no nonce back that it has just given.',
    remedy:
      "Several bridges with different databases answer under this address, something in between keeps answers, or the clock of the bridge's database jumps.",
  },
  'trust.replayed': {
    text: 'The bridge says that this proof of identity was presented before.',
    remedy:
      'Something between here and the bridge sends requests twice: switch its retries off for /bridge/.',
  },
  'request.unauthorized': {
    text: 'No proof of identity arrives at the bridge.',
    remedy:
      'Something between here and the bridge takes the Authorization header away: let it pass for /bridge/.',
  },
  'request.forbidden': {
    text: 'The bridge does not grant what this identity asks for.',
    remedy:
      'The environment is not granted to its fleet any more, or the records are of another organization, fleet or gateway: see the fleet in the console, and whether identity.json is of this machine.',
  },
  'sync.foreign_answer': {
    text: 'Somebody else answers in the place of the bridge.',
    remedy:
      'A proxy, a log-in page or another server stands under this address: open the way to the bridge, set outbound.proxy.url, or correct bridge.url.',
  },
  'sync.refused': {
    text: 'What the bridge sends does not verify.',
    remedy:
      "It is another organization's, an older state of the database (then on the control plane: isthmus keys revoke), or a bridge that somebody has changed. /health/ready says what was refused.",
  },
  'blobs.refused': {
    text: 'The bucket does not let this shipper in.',
    remedy:
      'Check s3.accessKeyId, s3.secretAccessKey, s3.bucket and its policy (PutObject below s3.prefix), and the clock of this machine.',
  },
  'outbound.tls': {
    text: "The bridge's certificate is not accepted.",
    remedy: 'It has expired, is of another name, or of an authority that outbound.caFile does not hold.',
  },
  'outbound.proxy_refused': {
    text: 'The proxy lets nobody through to the bridge.',
    remedy: 'Check outbound.proxy.url with its user and password, and what the proxy permits.',
  },
  'outbound.refused_address': {
    text: "The bridge's address is one that may not be dialled.",
    remedy: 'Name it in outbound.allow, or correct bridge.url.',
  },
};

const troubles: ReadonlyMap<string, Omit<BorderTrouble, 'code'>> = new Map(Object.entries(table));

/** All codes that can be a trouble, for documents and tests. */
export const borderCodes: readonly string[] = Object.keys(table);

/**
 * What a refusal means for who runs this side; undefined for one that passes by itself (busy, restarting, away).
 *
 * A code that this version does not know counts as `bridge.refused` when the bridge refused for good (a status from 400 to 499).
 */
export function borderTroubleOf(code: string, status?: number): BorderTrouble | undefined {
  const known = troubles.get(code);
  if (known !== undefined) return { code, ...known };
  if (status === undefined || passing.has(code) || passingStatus.has(status)) return undefined;
  if (status < 400 || status >= 500) return undefined;
  return {
    code: 'bridge.refused',
    text: 'The bridge refuses this process for a reason that this version does not know.',
    remedy: 'lastError names it; the log of the bridge says more. Upgrade the older side.',
  };
}

/** Settled by the next try. */
const passing: ReadonlySet<string> = new Set([
  'bridge.seat_required',
  'bridge.grant_changed',
  'bridge.hash_mismatch',
]);
const passingStatus: ReadonlySet<number> = new Set([408, 413, 425, 429]);

/** A trouble with when it began, ISO 8601, as health shows it. */
export interface LastingTrouble extends BorderTrouble {
  readonly since: string;
}

/** Keeps the one trouble that there is, and says when it is another; `changed` is told each time. */
export function createTroubleKeeper(
  nowMs: () => number,
  changed: (present: LastingTrouble | undefined) => void,
): {
  readonly present: () => LastingTrouble | undefined;
  /** True when it is news; the same code again is none. */
  set(this: void, trouble: BorderTrouble): boolean;
  /** Which one is over, if there was one. */
  clear(this: void): LastingTrouble | undefined;
} {
  let present: LastingTrouble | undefined;
  return {
    present: () => present,
    set(trouble) {
      const isNews = present?.code !== trouble.code;
      if (!isNews) return false;
      present = { ...trouble, since: new Date(nowMs()).toISOString() };
      changed(present);
      return true;
    },
    clear() {
      const over = present;
      present = undefined;
      if (over !== undefined) changed(undefined);
      return over;
    },
  };
}
