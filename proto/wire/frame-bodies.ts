import {
  malformed,
  readBytes,
  readFixedBytes,
  readFlag,
  readKind,
  readList,
  readName,
  readOptionalText,
  readOptionalUint,
  readTags,
  readText,
  readUint,
} from './fields.ts';
import type { Frame, FrameKind, HeldEnvironment } from './frames.ts';
import { wireLimits } from './limits.ts';
import type { AppliedState, GatewayReport, Nack, RecordHeader } from './published.ts';
import type { RawMessage } from './schema.ts';

/** How the body of each kind of frame is read; every field is checked and bounded. */
export const bodyReaders: {
  readonly [Kind in FrameKind]: (raw: RawMessage) => Extract<Frame, { kind: Kind }>;
} = {
  hello: (raw) => ({
    kind: 'hello',
    protocol: readUint(raw['protocol'], 'hello.protocol'),
    ...readInstance(raw, 'hello'),
    environments: readList(
      raw['environments'],
      { path: 'hello.environments', itemsMax: wireLimits.environmentsMax },
      readHeld,
    ),
    tags: readTags(raw['tags'], 'hello.tags'),
  }),
  welcome: (raw) => {
    const tenant = readOptionalText(raw['tenant'], 'welcome.tenant', wireLimits.idCharsMax);
    return {
      kind: 'welcome',
      protocol: readUint(raw['protocol'], 'welcome.protocol'),
      gateway: readName(raw['gateway'], 'welcome.gateway'),
      organization: readName(raw['organization'], 'welcome.organization'),
      fleet: readName(raw['fleet'], 'welcome.fleet'),
      environments: readList(
        raw['environments'],
        { path: 'welcome.environments', itemsMax: wireLimits.environmentsMax },
        (item, path) => readName(item, path),
      ),
      tags: readTags(raw['tags'], 'welcome.tags'),
      ...(tenant !== undefined && { tenant }),
      bridgeTimeMs: readUint(raw['bridgeTimeMs'], 'welcome.bridgeTimeMs'),
      frameBytesMax: readUint(raw['frameBytesMax'], 'welcome.frameBytesMax'),
      pingMs: readUint(raw['pingMs'], 'welcome.pingMs'),
    };
  },
  certificates: (raw) => ({
    kind: 'certificates',
    environment: readName(raw['environment'], 'certificates.environment'),
    certificates: readList(
      raw['certificates'],
      { path: 'certificates.certificates', itemsMax: wireLimits.certificatesMax },
      (item, path) => readBytes(item, path, wireLimits.headBytesMax),
    ),
  }),
  headers: (raw) => ({
    kind: 'headers',
    environment: readName(raw['environment'], 'headers.environment'),
    isFull: readFlag(raw['isFull']),
    headers: readHeaders(raw['headers'], 'headers.headers'),
  }),
  payloads: (raw) => ({
    kind: 'payloads',
    environment: readName(raw['environment'], 'payloads.environment'),
    records: readList(
      raw['records'],
      { path: 'payloads.records', itemsMax: wireLimits.recordsPerFrameMax },
      (item, path) => readBytes(item, path, wireLimits.recordBytesMax),
    ),
  }),
  head: (raw) => ({
    kind: 'head',
    environment: readName(raw['environment'], 'head.environment'),
    head: readBytes(raw['head'], 'head.head', wireLimits.headBytesMax),
    ...(readFlag(raw['isAnnounced']) && { isAnnounced: true }),
  }),
  applied: (raw) => ({ kind: 'applied', ...readApplied(raw, 'applied') }),
  heartbeat: (raw) => ({ kind: 'heartbeat', report: readReport(raw) }),
  buckets: (raw) => ({
    kind: 'buckets',
    environment: readName(raw['environment'], 'buckets.environment'),
    hashes: readFixedBytes(raw['hashes'], 'buckets.hashes', 256 * 32),
  }),
  bucketHeaders: (raw) => ({
    kind: 'bucketHeaders',
    environment: readName(raw['environment'], 'bucketHeaders.environment'),
    buckets: [...readBytes(raw['buckets'], 'bucketHeaders.buckets', 256)],
    headers: readHeaders(raw['headers'], 'bucketHeaders.headers'),
    isLast: readFlag(raw['isLast']),
  }),
  close: (raw) => {
    const retryAfterMs = readOptionalUint(raw['retryAfterMs'], 'close.retryAfterMs');
    return {
      kind: 'close',
      code: readName(raw['code'], 'close.code'),
      reason: readText(raw['reason'], 'close.reason', wireLimits.reasonCharsMax),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      bridgeTimeMs: readUint(raw['bridgeTimeMs'], 'close.bridgeTimeMs'),
    };
  },
  ping: (raw) => ({ kind: 'ping', atMs: readUint(raw['atMs'], 'ping.atMs') }),
};

function readHeaders(value: unknown, path: string): readonly RecordHeader[] {
  const at = { path, itemsMax: wireLimits.headersPerFrameMax };
  return readList(value, at, readHeader);
}

function readHeader(value: unknown, path: string): RecordHeader {
  const raw = value as RawMessage;
  // A header is digested: a field that is dropped here would be a field that nobody proves.
  if (raw.$unknowns !== undefined) malformed(path, 'holds a field that this version does not know');
  return {
    kind: readKind(raw['kind'], path),
    id: readName(raw['id'], path),
    seq: readUint(raw['seq'], path),
    sha256: readFixedBytes(raw['sha256'], path, 32),
    tags: readTags(raw['tags'], path),
    isDeleted: readFlag(raw['isDeleted']),
  };
}

function readNack(value: unknown, path: string): Nack {
  const raw = value as RawMessage;
  return {
    kind: readKind(raw['kind'], `${path}.kind`),
    id: readName(raw['id'], `${path}.id`),
    seq: readUint(raw['seq'], `${path}.seq`),
    code: readName(raw['code'], `${path}.code`),
    reason: readText(raw['reason'], `${path}.reason`, wireLimits.reasonCharsMax),
  };
}

function readHeld(value: unknown, path: string): HeldEnvironment {
  const raw = value as RawMessage;
  return {
    environment: readName(raw['environment'], `${path}.environment`),
    epoch: readUint(raw['epoch'], `${path}.epoch`),
    seq: readUint(raw['seq'], `${path}.seq`),
    digest: readBytes(raw['digest'], `${path}.digest`, 32),
    refused: readList(raw['refused'], { path: `${path}.refused`, itemsMax: wireLimits.nacksMax }, readNack),
  };
}

function readApplied(value: unknown, path: string): AppliedState {
  const raw = value as RawMessage;
  return {
    environment: readName(raw['environment'], `${path}.environment`),
    epoch: readUint(raw['epoch'], `${path}.epoch`),
    seq: readUint(raw['seq'], `${path}.seq`),
    nacks: readList(raw['nacks'], { path: `${path}.nacks`, itemsMax: wireLimits.nacksMax }, readNack),
  };
}

type Instance = Pick<GatewayReport, 'instance' | 'version' | 'hostname' | 'startedAtMs' | 'policies'>;

function readInstance(raw: RawMessage, path: string): Instance {
  return {
    instance: readName(raw['instance'], `${path}.instance`),
    version: readText(raw['version'], `${path}.version`, wireLimits.idCharsMax),
    hostname: readText(raw['hostname'], `${path}.hostname`, wireLimits.idCharsMax),
    startedAtMs: readUint(raw['startedAtMs'], `${path}.startedAtMs`),
    policies: readList(
      raw['policies'],
      { path: `${path}.policies`, itemsMax: wireLimits.policiesMax },
      (item, at) => readName(item, at),
    ),
  };
}

function readReport(raw: RawMessage): GatewayReport {
  return {
    ...readInstance(raw, 'heartbeat'),
    environments: readList(
      raw['environments'],
      { path: 'heartbeat.environments', itemsMax: wireLimits.environmentsMax },
      readApplied,
    ),
    counters: readCounters(raw['counters']),
  };
}

function readCounters(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  if (entries.length > wireLimits.countersMax)
    malformed('heartbeat.counters', `must have at most ${wireLimits.countersMax} entries`);
  return Object.fromEntries(
    entries.map(([name, count]) => {
      if (typeof count !== 'number' || !Number.isFinite(count))
        malformed(`heartbeat.counters.${name}`, 'must be a finite number');
      return [readName(name, 'heartbeat.counters'), count];
    }),
  );
}
