import {
  readBytes,
  readFixedBytes,
  readFlag,
  readList,
  readMessage,
  readName,
  readOptionalText,
  readOptionalUint,
  readTags,
  readText,
} from './fields.ts';
import { wireLimits } from './limits.ts';
import { messageCodec } from './schema.ts';

/** Payload of kind `api`. */
export interface ApiPayload {
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  /** Canonical JSON of proto/model/api.ts. */
  readonly definition: string;
}

/** Payload of kind `subscription`. */
export interface SubscriptionPayload {
  readonly id: string;
  readonly api: string;
  readonly plan: string;
  readonly application: string;
  readonly applicationName?: string;
  readonly clientId?: string;
  /** Upper case as in the management API, e.g. ACCEPTED, PAUSED, CLOSED. */
  readonly status: string;
  readonly startingAtMs?: number;
  readonly endingAtMs?: number;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Of its application; absent for none. */
  readonly certificates?: readonly CertificateRef[];
}

/** A certificate that an application may show, and when. */
export interface CertificateRef {
  /** SHA-256 of its DER form, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly startingAtMs?: number;
  readonly endingAtMs?: number;
}

/** Payload of kind `dictionary`. */
export interface DictionaryPayload {
  readonly id: string;
  /** What expressions call it. */
  readonly name: string;
  readonly entries: readonly DictionaryEntry[];
}

/** A word of a dictionary. */
interface DictionaryEntry {
  readonly key: string;
  readonly value: string;
}

/** Payload of kind `shared-policy-group`. */
export interface SharedPolicyGroupPayload {
  readonly id: string;
  readonly name: string;
  /** Canonical JSON of proto/model/api/shared-policy-group.ts. */
  readonly definition: string;
}

/** Payload of kind `organization-flows`; the record's id is the organization's. */
export interface OrganizationFlowsPayload {
  readonly id: string;
  /** Canonical JSON of proto/model/api/organization-flows.ts. */
  readonly definition: string;
}

/** Payload of kind `api-key`; never the key. */
export interface ApiKeyPayload {
  readonly id: string;
  /** apiKeyHash of proto/trust/keys.ts, 32 bytes. */
  readonly hash: Uint8Array;
  readonly api: string;
  readonly subscriptions: readonly string[];
  readonly expireAtMs?: number;
  readonly isRevoked: boolean;
}

/** Payload of kind `environment-key`; the record's id is the gateway's id, its one tag the fleet's id. */
export interface EnvironmentKeyPayload {
  readonly gateway: string;
  readonly keys: readonly SealedKey[];
}

/** A key that opens secrets of the environment. */
export interface SealedKey {
  readonly id: string;
  /** By `sealTo` of proto/trust/sealing.ts, in the context that `environmentKeyContext` gives. */
  readonly sealed: Uint8Array;
}

/** Payload of kind `gateway-settings`; the record's id is the fleet's id. */
export interface GatewaySettingsPayload {
  readonly fleet: string;
  /** The fleet's tags, proven by the head: what its gateways are entitled to. */
  readonly tags: readonly string[];
  readonly tenant?: string;
  readonly isRevoked: boolean;
}

const apiCodec = messageCodec('Api');
const subscriptionCodec = messageCodec('Subscription');
const dictionaryCodec = messageCodec('Dictionary');
const groupCodec = messageCodec('SharedPolicyGroup');
const organizationFlowsCodec = messageCodec('OrganizationFlows');
const apiKeyCodec = messageCodec('ApiKey');
const environmentKeyCodec = messageCodec('EnvironmentKey');
const settingsCodec = messageCodec('GatewaySettings');

// Payloads are decoded by who uses them and never encoded again, so fields of a later version need no keeping here;
// the record that holds them is stored as the bytes that came.

/** Encodes a payload of kind `api`. */
export function encodeApi(api: ApiPayload): Uint8Array {
  return apiCodec.encode({ ...api });
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeApi(bytes: Uint8Array): ApiPayload {
  const raw = apiCodec.decode(bytes, wireLimits.recordBytesMax);
  return {
    id: readName(raw['id'], 'id'),
    name: readText(raw['name'], 'name', wireLimits.nameCharsMax),
    revision: readText(raw['revision'], 'revision', wireLimits.revisionCharsMax),
    definition: readText(raw['definition'], 'definition', wireLimits.recordBytesMax),
  };
}

/** Encodes a payload of kind `subscription`. */
export function encodeSubscription(subscription: SubscriptionPayload): Uint8Array {
  const certificates = subscription.certificates?.map((each) => present({ ...each }));
  const metadata = [...(subscription.metadata ?? [])].map(([key, value]) => ({ key, value }));
  return subscriptionCodec.encode(present({ ...subscription, certificates, metadata }));
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeSubscription(bytes: Uint8Array): SubscriptionPayload {
  const raw = subscriptionCodec.decode(bytes, wireLimits.recordBytesMax);
  const applicationName = readOptionalText(
    raw['applicationName'],
    'applicationName',
    wireLimits.nameCharsMax,
  );
  const clientId = readOptionalText(raw['clientId'], 'clientId', wireLimits.nameCharsMax);
  const startingAtMs = readOptionalUint(raw['startingAtMs'], 'startingAtMs');
  const endingAtMs = readOptionalUint(raw['endingAtMs'], 'endingAtMs');
  const bound = { path: 'certificates', itemsMax: wireLimits.certificatesPerSubscriptionMax };
  const certificates = readList(raw['certificates'], bound, readCertificate);
  const noted = readEntries(raw['metadata'], { path: 'metadata', itemsMax: wireLimits.metadataEntriesMax });
  return {
    id: readName(raw['id'], 'id'),
    api: readName(raw['api'], 'api'),
    plan: readName(raw['plan'], 'plan'),
    application: readName(raw['application'], 'application'),
    ...(applicationName !== undefined && { applicationName }),
    ...(clientId !== undefined && { clientId }),
    status: readName(raw['status'], 'status'),
    ...(startingAtMs !== undefined && { startingAtMs }),
    ...(endingAtMs !== undefined && { endingAtMs }),
    ...(noted.length > 0 && { metadata: new Map(noted.map(({ key, value }) => [key, value])) }),
    ...(certificates.length > 0 && { certificates }),
  };
}

function readCertificate(item: unknown, path: string): CertificateRef {
  const raw = readMessage(item, path);
  const startingAtMs = readOptionalUint(raw['startingAtMs'], `${path}.startingAtMs`);
  const endingAtMs = readOptionalUint(raw['endingAtMs'], `${path}.endingAtMs`);
  return {
    sha256: readFixedBytes(raw['sha256'], `${path}.sha256`, 32),
    ...(startingAtMs !== undefined && { startingAtMs }),
    ...(endingAtMs !== undefined && { endingAtMs }),
  };
}

/** Encodes a payload of kind `dictionary`. */
export function encodeDictionary(dictionary: DictionaryPayload): Uint8Array {
  return dictionaryCodec.encode({ ...dictionary });
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeDictionary(bytes: Uint8Array): DictionaryPayload {
  const raw = dictionaryCodec.decode(bytes, wireLimits.recordBytesMax);
  const bound = { path: 'entries', itemsMax: wireLimits.dictionaryEntriesMax };
  return {
    id: readName(raw['id'], 'id'),
    name: readText(raw['name'], 'name', wireLimits.nameCharsMax),
    entries: readEntries(raw['entries'], bound),
  };
}

function readEntries(raw: unknown, bound: Parameters<typeof readList>[1]): readonly DictionaryEntry[] {
  return readList(raw, bound, (item, path) => {
    const entry = readMessage(item, path);
    return {
      key: readText(entry['key'], `${path}.key`, wireLimits.nameCharsMax),
      value: readText(entry['value'], `${path}.value`, wireLimits.recordBytesMax),
    };
  });
}

/** Encodes a payload of kind `shared-policy-group`. */
export function encodeSharedPolicyGroup(group: SharedPolicyGroupPayload): Uint8Array {
  return groupCodec.encode({ ...group });
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeSharedPolicyGroup(bytes: Uint8Array): SharedPolicyGroupPayload {
  const raw = groupCodec.decode(bytes, wireLimits.recordBytesMax);
  return {
    id: readName(raw['id'], 'id'),
    name: readText(raw['name'], 'name', wireLimits.nameCharsMax),
    definition: readText(raw['definition'], 'definition', wireLimits.recordBytesMax),
  };
}

/** Encodes a payload of kind `organization-flows`. */
export function encodeOrganizationFlows(flows: OrganizationFlowsPayload): Uint8Array {
  return organizationFlowsCodec.encode({ ...flows });
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeOrganizationFlows(bytes: Uint8Array): OrganizationFlowsPayload {
  const raw = organizationFlowsCodec.decode(bytes, wireLimits.recordBytesMax);
  return {
    id: readName(raw['id'], 'id'),
    definition: readText(raw['definition'], 'definition', wireLimits.recordBytesMax),
  };
}

/** Encodes a payload of kind `api-key`. */
export function encodeApiKey(key: ApiKeyPayload): Uint8Array {
  return apiKeyCodec.encode(present({ ...key }));
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeApiKey(bytes: Uint8Array): ApiKeyPayload {
  const raw = apiKeyCodec.decode(bytes, wireLimits.recordBytesMax);
  const expireAtMs = readOptionalUint(raw['expireAtMs'], 'expireAtMs');
  const bound = { path: 'subscriptions', itemsMax: wireLimits.subscriptionsPerKeyMax };
  return {
    id: readName(raw['id'], 'id'),
    hash: readFixedBytes(raw['hash'], 'hash', 32),
    api: readName(raw['api'], 'api'),
    subscriptions: readList(raw['subscriptions'], bound, (item, path) => readName(item, path)),
    ...(expireAtMs !== undefined && { expireAtMs }),
    isRevoked: readFlag(raw['isRevoked']),
  };
}

/** Encodes a payload of kind `environment-key`. */
export function encodeEnvironmentKey({ gateway, keys }: EnvironmentKeyPayload): Uint8Array {
  return environmentKeyCodec.encode({ gateway, keys: keys.map((each) => ({ ...each })) });
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeEnvironmentKey(bytes: Uint8Array): EnvironmentKeyPayload {
  const raw = environmentKeyCodec.decode(bytes, wireLimits.recordBytesMax);
  const bound = { path: 'keys', itemsMax: wireLimits.keysPerEnvironmentMax };
  return {
    gateway: readName(raw['gateway'], 'gateway'),
    keys: readList(raw['keys'], bound, (item, path) => {
      const key = readMessage(item, path);
      return {
        id: readName(key['id'], `${path}.id`),
        sealed: readBytes(key['sealed'], `${path}.sealed`, wireLimits.recordBytesMax),
      };
    }),
  };
}

/** Encodes a payload of kind `gateway-settings`. */
export function encodeGatewaySettings(settings: GatewaySettingsPayload): Uint8Array {
  return settingsCodec.encode(present({ ...settings }));
}

/** Errors: wire.malformed, wire.too_large. */
export function decodeGatewaySettings(bytes: Uint8Array): GatewaySettingsPayload {
  const raw = settingsCodec.decode(bytes, wireLimits.recordBytesMax);
  const tenant = readOptionalText(raw['tenant'], 'tenant', wireLimits.idCharsMax);
  return {
    fleet: readName(raw['fleet'], 'fleet'),
    tags: readTags(raw['tags'], 'tags'),
    ...(tenant !== undefined && { tenant }),
    isRevoked: readFlag(raw['isRevoked']),
  };
}

/** Leaves out what is undefined; the encoder takes an own property for a present field. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
