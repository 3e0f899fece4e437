import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import { systemClock, type Clock } from '../../../proto/process/clock.ts';
import { bucketHashesOf, bucketOf, compareHeaders, digestOf } from '../../../proto/trust/digest.ts';
import { signCertificate, signHead } from '../../../proto/trust/heads.ts';
import {
  createSealingKeyPair,
  createSigningKeyPair,
  keyIdOf,
  type KeyPair,
} from '../../../proto/trust/keys.ts';
import { createEnrolmentToken, readEnrolmentToken } from '../../../proto/trust/tokens.ts';
import { signSuccession } from '../../../proto/trust/roots.ts';
import { encodeCertificate, encodeHead, encodeSuccession } from '../../../proto/wire/head.ts';
import type {
  EnvironmentRef,
  GatewayEvent,
  GatewayIdentity,
  GatewayReport,
  Grant,
  PublishedHead,
  PublishedRepository,
  RecordKind,
  RecordWithPayload,
} from '../../../proto/wire/published.ts';
import { encodeRecord } from '../../../proto/wire/record.ts';
import { createMemorySeats, type MemorySeats } from './memory-seats.ts';

/** What a test publishes; without payload it is a deletion. */
export interface MemoryChange {
  readonly kind: RecordKind;
  readonly id: string;
  readonly tags?: readonly string[];
  readonly revision?: string;
  readonly payload?: Uint8Array;
}

/** An enrolled gateway with the private halves of its keys. */
export interface MemoryGateway {
  readonly identity: GatewayIdentity;
  readonly signing: KeyPair;
  readonly sealing: KeyPair;
}

/** The port in memory, signed with real keys; tests move it through every state. */
export interface MemoryRepository extends PublishedRepository, MemorySeats {
  readonly organization: string;
  readonly root: KeyPair;
  /** Publishes all changes in one head and returns its seq. */
  publish(environment: string, changes: readonly MemoryChange[]): number;
  /** Signs the same set again, as the control plane does every 30 s. */
  refresh(environment: string): void;
  /** Signs with a new publishing key from now on. */
  rotate(environment: string): void;
  /** A new epoch with the records given, as after `restore` of a backup; seq may be lower. */
  restore(environment: string, seq: number): void;
  /** A new root, which the old one names; those environments (default all) have certificates of it. */
  rollRoot(environments?: readonly string[]): void;
  /** Drops tombstones, in a head of its own. */
  prune(environment: string): number;
  addGateway(grant?: Partial<Grant>): MemoryGateway;
  revoke(gateway: string): void;
  setGrant(gateway: string, grant: Partial<Grant>): void;
  createToken(options?: { readonly usesMax?: number; readonly expiresAtMs?: number }): string;
  /** While away every method of the port rejects with storage.unavailable. */
  setAway(isAway: boolean): void;
  /** With false nobody is told of changes; the poll must find them. */
  setHints(isTelling: boolean): void;
  readonly reports: ReadonlyMap<string, GatewayReport>;
  readonly events: readonly GatewayEvent[];
  readonly disconnected: readonly string[];
}

interface StoredEnvironment {
  readonly latest: Map<string, RecordWithPayload>;
  keys: KeyPair;
  certificates: Uint8Array[];
  epoch: number;
  seq: number;
  oldestCursor: number;
  head: PublishedHead | undefined;
}

const headMs = 5 * 60_000;
const certificateMs = 365 * 86_400_000;

/** Makes an empty repository with the environments given (default one, `dev`). */
export function createMemoryRepository(
  options: { readonly environments?: readonly string[]; readonly clock?: Clock } = {},
): MemoryRepository {
  const clock = options.clock ?? systemClock;
  const organization = 'org-1';
  let root = createSigningKeyPair();
  let successions: Uint8Array[] = [];
  const environments = new Map<string, StoredEnvironment>();
  const gateways = new Map<string, GatewayIdentity>();
  const tokens = new Map<string, { usesLeft: number; readonly grant: Grant }>();
  const reports = new Map<string, GatewayReport>();
  const events: GatewayEvent[] = [];
  const disconnected: string[] = [];
  const listeners = new Set<(environment: string) => void>();
  let isAway = false;
  let isTelling = true;

  const certify = (name: string, environment: StoredEnvironment): void => {
    const { publicKey } = environment.keys;
    const unsigned = {
      organization,
      environment: name,
      keyId: keyIdOf(publicKey),
      publicKey,
      epoch: environment.epoch,
      notBeforeMs: clock.now() - 60_000,
      notAfterMs: clock.now() + certificateMs,
    };
    environment.certificates = [
      encodeCertificate(signCertificate(unsigned, root.privateKey)),
      ...environment.certificates,
    ];
  };
  const environmentOf = (name: string): StoredEnvironment => {
    const known = environments.get(name);
    if (known === undefined) throw new Error(`no environment ${name}`);
    return known;
  };
  const headersOf = (environment: StoredEnvironment) =>
    [...environment.latest.values()].map(({ header }) => header);
  const sign = (name: string, environment: StoredEnvironment): void => {
    const { epoch, seq } = environment;
    const head = signHead(
      {
        organization,
        environment: name,
        epoch,
        seq,
        count: environment.latest.size,
        digest: digestOf(bucketHashesOf(headersOf(environment))),
        issuedAtMs: clock.now(),
        expiresAtMs: clock.now() + headMs,
        keyId: keyIdOf(environment.keys.publicKey),
      },
      environment.keys.privateKey,
    );
    environment.head = { organization, environment: name, epoch, seq, bytes: encodeHead(head) };
  };
  const tell = (environment: string): void => {
    if (isTelling) for (const listener of listeners) listener(environment);
  };
  const here = <T>(answer: () => T): Promise<T> =>
    isAway ? Promise.reject(new Fault('storage.unavailable')) : Promise.resolve().then(answer);
  const at = (ref: EnvironmentRef): StoredEnvironment | undefined =>
    ref.organization === organization ? environments.get(ref.environment) : undefined;

  for (const name of options.environments ?? ['dev']) {
    const environment: StoredEnvironment = {
      latest: new Map(),
      keys: createSigningKeyPair(),
      certificates: [],
      epoch: 1,
      seq: 0,
      oldestCursor: 0,
      head: undefined,
    };
    environments.set(name, environment);
    certify(name, environment);
  }

  const grantOf = (partial: Partial<Grant> = {}): Grant => ({
    organization,
    fleet: 'fleet-1',
    environments: [...environments.keys()],
    tags: [],
    tenant: undefined,
    ...partial,
  });

  const ledger = createMemorySeats(clock, here);

  return {
    ...ledger,
    reseat(gateway, instance) {
      ledger.reseat(gateway, instance);
      tell('');
    },
    organization,
    get root() {
      return root;
    },
    rollRoot(names = [...environments.keys()]) {
      const next = createSigningKeyPair();
      const step = { organization, fromKey: root.publicKey, toKey: next.publicKey, issuedAtMs: clock.now() };
      successions = [...successions, encodeSuccession(signSuccession(step, root.privateKey))];
      root = next;
      for (const name of names) {
        const environment = environmentOf(name);
        environment.certificates = [];
        certify(name, environment);
        sign(name, environment);
        tell(name);
      }
    },
    reports,
    events,
    disconnected,
    publish(name, changes) {
      const environment = environmentOf(name);
      for (const change of changes) {
        environment.seq += 1;
        const record = recordOf({ organization, environment: name }, environment.seq, change);
        environment.latest.set(`${change.kind}\0${change.id}`, record);
      }
      sign(name, environment);
      tell(name);
      return environment.seq;
    },
    refresh(name) {
      sign(name, environmentOf(name));
      tell(name);
    },
    rotate(name) {
      const environment = environmentOf(name);
      environment.keys = createSigningKeyPair();
      certify(name, environment);
      sign(name, environment);
      tell(name);
    },
    restore(name, seq) {
      const environment = environmentOf(name);
      for (const [key, { header }] of environment.latest)
        if (header.seq > seq) environment.latest.delete(key);
      environment.epoch += 1;
      environment.seq = seq;
      environment.oldestCursor = 0;
      certify(name, environment);
      sign(name, environment);
      tell(name);
    },
    prune(name) {
      const environment = environmentOf(name);
      for (const [key, { header }] of environment.latest)
        if (header.isDeleted) environment.latest.delete(key);
      environment.oldestCursor = environment.seq;
      environment.seq += 1;
      sign(name, environment);
      tell(name);
      return environment.seq;
    },
    addGateway(grant) {
      const signing = createSigningKeyPair();
      const sealing = createSealingKeyPair();
      const identity: GatewayIdentity = {
        id: randomUUID(),
        grant: grantOf(grant),
        signingKey: signing.publicKey,
        sealingKey: sealing.publicKey,
        isRevoked: false,
      };
      gateways.set(identity.id, identity);
      return { identity, signing, sealing };
    },
    revoke(id) {
      const identity = gateways.get(id);
      if (identity !== undefined) gateways.set(id, { ...identity, isRevoked: true });
      tell('');
    },
    setGrant(id, grant) {
      const identity = gateways.get(id);
      if (identity !== undefined) gateways.set(id, { ...identity, grant: { ...identity.grant, ...grant } });
      tell('');
    },
    createToken({ usesMax = 1, expiresAtMs = clock.now() + 3_600_000 } = {}) {
      const secret = randomBytes(24).toString('base64url');
      const id = randomUUID();
      const grant = grantOf();
      tokens.set(`${id}\0${secret}`, { usesLeft: usesMax, grant });
      const payload = {
        id,
        bridge: 'http://127.0.0.1:18092',
        organization,
        rootKey: root.publicKey,
        grant,
        expiresAtMs,
        secret,
      };
      return createEnrolmentToken(payload, root.privateKey);
    },
    setAway: (away) => void (isAway = away),
    setHints: (telling) => void (isTelling = telling),

    head: (ref) => here(() => at(ref)?.head),
    certificates: (ref) => here(() => [...successions, ...(at(ref)?.certificates ?? [])]),
    headersAfter: (ref, afterSeq, limit) =>
      here(() => {
        const environment = at(ref);
        const headers = (environment === undefined ? [] : headersOf(environment))
          .filter(({ seq }) => seq > afterSeq)
          .toSorted((a, b) => a.seq - b.seq);
        return { headers: headers.slice(0, limit), hasMore: headers.length > limit };
      }),
    headersInBuckets: (ref, buckets) =>
      here(() => {
        const environment = at(ref);
        return (environment === undefined ? [] : headersOf(environment))
          .filter(({ kind, id }) => buckets.includes(bucketOf(kind, id)))
          .toSorted(compareHeaders);
      }),
    bucketHashes: (ref) =>
      here(() => {
        const environment = at(ref);
        return bucketHashesOf(environment === undefined ? [] : headersOf(environment));
      }),
    payloads: (ref, headers) =>
      here(() =>
        headers
          .map(({ kind, id, seq }) => {
            const record = at(ref)?.latest.get(`${kind}\0${id}`);
            return record?.header.seq === seq ? record : undefined;
          })
          .filter((record) => record !== undefined),
      ),
    oldestCursor: (ref) => here(() => at(ref)?.oldestCursor ?? 0),
    onPublished(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    enrol: (request) =>
      here(() => {
        const token = readEnrolmentToken(request.token, { rootKey: root.publicKey, nowMs: clock.now() });
        for (const each of gateways.values())
          if (Buffer.from(each.signingKey).equals(request.signingKey)) return each;
        const known = tokens.get(`${token.id}\0${token.secret}`);
        if (known === undefined || known.usesLeft < 1)
          throw new Fault('request.unauthorized', { detail: 'The token is used up or revoked.' });
        known.usesLeft -= 1;
        const identity: GatewayIdentity = {
          id: randomUUID(),
          grant: known.grant,
          signingKey: request.signingKey,
          sealingKey: request.sealingKey,
          isRevoked: false,
        };
        gateways.set(identity.id, identity);
        return identity;
      }),
    gateway: (id) => here(() => gateways.get(id)),
    saveReport: (id, report) => here(() => void (gateways.has(id) && reports.set(id, report))),
    saveDisconnected: (id, instance) => here(() => void disconnected.push(`${id} ${instance}`)),
    saveEvent: (event) => here(() => void events.push(event)),
  };
}

function recordOf(ref: EnvironmentRef, seq: number, change: MemoryChange): RecordWithPayload {
  const { kind, id, revision = String(seq), payload } = change;
  const tags = [...(change.tags ?? [])].toSorted();
  const isDeleted = payload === undefined;
  const bytes = encodeRecord({
    ...ref,
    kind,
    id,
    seq,
    revision,
    tags,
    isDeleted,
    payload: payload ?? new Uint8Array(0),
  });
  const sha256 = createHash('sha256').update(bytes).digest();
  return { header: { kind, id, seq, sha256, tags, isDeleted }, bytes };
}
