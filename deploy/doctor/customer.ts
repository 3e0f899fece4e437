import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { gatewayConfigSchema } from '../../data-plane/config.ts';
import { serversOf } from '../../data-plane/servers/settings.ts';
import { listSpools } from '../../proto/spool/folder.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { LoadedConfig } from '../../proto/process/config.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { createOutbound, toOutboundOptions, type Outbound } from '../../proto/process/outbound/outbound.ts';
import { createLazyKeyring } from '../../proto/process/secrets.ts';
import { describeStranger } from '../../proto/process/stranger.ts';
import { pairsOf } from '../../proto/process/listening/tls-settings.ts';
import { audienceOf, signAssertion } from '../../proto/trust/assertions.ts';
import { type EnrolledIdentity, identityFile, loadIdentity } from '../../proto/trust/identity.ts';
import { ticketFile } from '../../proto/trust/seat-file.ts';
import { openS3Output, requireOutput } from '../../shipper/outputs/of-s3.ts';
import type { shipperConfigSchema } from '../../shipper/config.ts';
import { besideUp } from './beside-up.ts';
import type { Check, Examined, Finding } from './doctor.ts';
import { examineDisk, examineListenTls } from './machine.ts';
import { examineModes } from './modes.ts';
import { examinePorts } from './ports.ts';
import { describeSettings } from './settings.ts';

type GatewayConfig = z.output<typeof gatewayConfigSchema>;
type ShipperConfig = z.output<typeof shipperConfigSchema>;
type Settings = Pick<LoadedConfig<GatewayConfig>, 'sources'>['sources'];

/** Either process of the customer's side, with what checks put in. */
export interface CustomerSubject extends Examined {
  readonly process: 'gateway' | 'shipper';
  readonly clock: Clock;
  /** True for a part of `isthmus up`, which makes its folder and holds it. */
  readonly isOfUp?: boolean;
  load(): { readonly config: GatewayConfig | ShipperConfig; readonly sources: Settings };
  config?: GatewayConfig | ShipperConfig;
  identity?: EnrolledIdentity;
  outbound?: Outbound;
  bridgeUrl?: string;
  nonce?: string;
  /** The bridge's clock less ours. */
  offMs?: number;
}

/** Every question about a gateway or a shipper, in the order in which they are asked. */
export const customerChecks: readonly Check<CustomerSubject>[] = [
  { name: 'settings', needs: [], examine: examineSettings },
  { name: 'certificates', needs: ['config'], examine: examineTls },
  { name: 'ports', needs: ['config'], examine: examineListeners },
  { name: 'definitions', needs: ['config'], concerns: isOfFiles, examine: examineDefinitions },
  { name: 'disk', needs: ['config'], examine: examineSpool },
  { name: 'modes', needs: ['config'], examine: examineFiles },
  { name: 'bucket', needs: ['config'], concerns: hasOwnBucket, examine: examineBucket },
  { name: 'identity', needs: ['config'], examine: examineIdentity },
  { name: 'seat', needs: ['identity'], concerns: dialsBridge, examine: examineSeat },
  { name: 'bridge', needs: ['bridgeUrl'], concerns: dialsBridge, examine: examineBridge },
  { name: 'clock', needs: ['offMs'], concerns: dialsBridge, examine: examineClock },
  { name: 'enrolment', needs: ['identity', 'nonce'], concerns: dialsBridge, examine: examineEnrolment },
  besideUp,
];

const timeoutMs = 10_000;
const answerBytesMax = 64 * 1024;
/** The header has whole seconds, and the way takes some time as well. */
const clockMsMax = 5_000;

async function examineSettings(subject: CustomerSubject): Promise<Finding> {
  const { config, sources } = subject.load();
  if ('output' in config) await requireOutput(config.output);
  subject.config = config;
  return describeSettings(sources);
}

async function examineTls({ config, clock }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const listeners = 'listen' in config ? serversOf(config) : [];
  const others = [{ setting: 'outbound', ...config.outbound }];
  return examineListenTls({ listeners, judgesClients: true, others }, clock.now());
}

async function examineListeners({ config, process, isOfUp }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const { admin, dataDir } = config;
  const ports = { admin, heldDir: isOfUp === true ? undefined : dataDir };
  return examinePorts(process, 'listen' in config ? { ...ports, listen: serversOf(config) } : ports);
}

function isOfFiles({ config }: CustomerSubject): boolean {
  return config !== undefined && 'local' in config && config.local !== undefined;
}

/** As `isthmus check` judges them. Errors: config.unreadable for a folder that is not there. */
async function examineDefinitions({ config }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined && 'local' in config, 'the check needs the settings of a gateway');
  const { local = '' } = config;
  const { checkFiles } = await import('../../data-plane/local/check.ts');
  const files = await checkFiles([local], config);
  const wrong = files.filter(({ problems }) => problems.length > 0);
  const found = `${files.length} files in ${resolve(local)}`;
  if (files.length === 0)
    return {
      status: 'warning',
      found,
      remedy: 'Put definitions there (.json, .yaml), or check local for a slip.',
    };
  if (wrong.length === 0) return { status: 'ok', found };
  const names = wrong.slice(0, 3).map(({ file }) => file);
  return {
    status: wrong.length === files.length ? 'failed' : 'warning',
    found: `${found}, of which ${wrong.length} cannot be served whole: ${names.join(', ')}`,
    remedy: `isthmus check ${local} says what is wrong in each.`,
  };
}

/** The spool may grow to its bound while the border is cut; what lies there already needs no room any more. */
async function examineSpool({ config, isOfUp }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  if (!existsSync(config.dataDir) && isOfUp !== true && !makesFolder(config)) {
    const found = `there is no folder ${resolve(config.dataDir)}`;
    const remedy = 'Check dataDir for a slip; isthmus enroll, or a first isthmus gateway --local, makes it.';
    return { status: 'failed', found, remedy };
  }
  if (!('report' in config)) return examineDisk(config.dataDir, ofShipper(config));
  const bytes = await bytesOfSpools(foldersOf(config.dataDir).spools);
  const wantedBytes = config.report.enabled ? Math.max(0, config.report.diskBytesMax - bytes) : 0;
  return examineDisk(config.dataDir, { wantedBytes, why: 'report.diskBytesMax may still take' });
}

async function examineFiles({ config }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const servers = 'listen' in config ? serversOf(config) : [];
  const pairs = [...servers.flatMap(({ tls }) => pairsOf(tls)), config.outbound];
  return examineModes({ dirs: [config.dataDir], keyFiles: pairs.map(({ keyFile }) => keyFile) });
}

function hasOwnBucket({ config }: CustomerSubject): boolean {
  return config !== undefined && 'output' in config && config.output === 's3';
}

/** One object of it is asked for, as the shipper does at its start: nothing is put there. */
async function examineBucket({ config, clock }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined && 'output' in config, 'the check needs the settings of a shipper');
  const { s3, deliveryMsMax } = config;
  const output = await openS3Output({ ...config, deliveryMsMax: Math.min(deliveryMsMax, timeoutMs) }, clock);
  try {
    const missing = await output.look?.(AbortSignal.timeout(timeoutMs));
    const place = `s3://${s3.bucket}/${s3.prefix}${s3.endpoint === undefined ? '' : ` at ${s3.endpoint}`}`;
    if (missing === undefined) return { status: 'ok', found: `${place} answers` };
    const remedy =
      missing.trouble?.remedy ?? 'Check s3.endpoint, s3.bucket and bucketIdentity, and the firewall.';
    return { status: 'failed', found: `${place} takes nothing: ${missing.reason}`, remedy };
  } finally {
    await output.close();
  }
}

/** What a start makes is no fault before the first one; a shipper waits for a gateway's. */
const makesFolder = (config: GatewayConfig | ShipperConfig): boolean =>
  'report' in config && (config.local !== undefined || config.bridge.token !== undefined);

async function bytesOfSpools(root: string): Promise<number> {
  const files = (await listSpools(root)).flatMap(({ dir }) =>
    readdirSync(dir).map((name) => join(dir, name)),
  );
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

const ofShipper = ({ quarantine }: ShipperConfig) => ({
  wantedBytes: quarantine.bytesMax,
  why: 'quarantine.bytesMax may take',
});

/** What a process without a bridge needs no identity for; see {@link dialsBridge}. */
function withoutBridge(config: GatewayConfig | ShipperConfig): string | undefined {
  if ('local' in config && config.local !== undefined)
    return `it serves the definitions in ${resolve(config.local)}`;
  if ('output' in config && config.output !== 'bridge') return `output is ${config.output}`;
  return undefined;
}

/** A gateway from files, or a shipper that writes elsewhere, has none; before the settings are known, everybody has. */
function dialsBridge({ config }: CustomerSubject): boolean {
  return config === undefined || withoutBridge(config) === undefined;
}

async function examineIdentity(subject: CustomerSubject): Promise<Finding> {
  const { config } = subject;
  invariant(config !== undefined, 'the check needs the settings');
  const why = withoutBridge(config);
  if (why !== undefined) return { status: 'ok', found: `needs none: ${why}` };
  const file = join(config.dataDir, identityFile);
  const identity = loadIdentity(config.dataDir, createLazyKeyring(foldersOf(config.dataDir).secrets));
  if (identity === undefined) {
    const hasToken = 'bridge' in config && 'token' in config.bridge && config.bridge.token !== undefined;
    // The way to it can be looked at before there is an identity.
    const url = 'bridge' in config ? config.bridge.url : undefined;
    if (url !== undefined) subject.bridgeUrl = url;
    return {
      status: hasToken ? 'warning' : 'failed',
      found: `there is no ${file}`,
      remedy: hasToken
        ? 'The first start of the gateway enrols it by gateway.bridge.token.'
        : 'Run isthmus enroll --token-file token.txt with the same settings; isthmus token makes the token.',
    };
  }
  subject.identity = identity;
  subject.bridgeUrl = ('bridge' in config ? config.bridge.url : undefined) ?? identity.bridge;
  const { gateway, fleet, organization, enrolledAtMs } = identity;
  const since = new Date(enrolledAtMs).toISOString();
  return {
    status: 'ok',
    found: `gateway ${gateway} of fleet ${fleet}, organization ${organization}, since ${since}`,
  };
}

/** Claiming it would take it from the process that runs, so only its file is looked at. */
async function examineSeat({ config, process }: CustomerSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const { gatewaySeat, shipperSeat } = foldersOf(config.dataDir);
  const file = process === 'gateway' ? gatewaySeat : shipperSeat;
  const ticket = ticketFile(file).read();
  return {
    status: 'ok',
    found:
      ticket === undefined
        ? `${file} comes with the first start`
        : `${file} holds the ticket of the last start`,
  };
}

async function examineBridge(subject: CustomerSubject): Promise<Finding> {
  const { config, bridgeUrl, clock } = subject;
  invariant(config !== undefined && bridgeUrl !== undefined, 'the check needs the identity');
  const options = toOutboundOptions(config.outbound, 'private');
  const outbound = createOutbound({ ...options, allow: [...options.allow, bridgeUrl] });
  subject.outbound = outbound;
  subject.close = () => outbound.close();
  const startedMs = clock.monotonicMs();
  const answer = await call({ outbound, bridgeUrl }, 'nonce', {});
  const tookMs = Math.round(clock.monotonicMs() - startedMs);
  const nonce = answer.headers['x-isthmus-nonce'];
  if (nonce === undefined)
    return {
      status: 'failed',
      found: `${bridgeUrl} is not the bridge: ${describeStranger(answer)}`,
      remedy: 'Somebody in between answers: open the way to the bridge, or set outbound.proxy.url.',
    };
  subject.nonce = nonce;
  const bridgeMs = Date.parse(answer.headers['date'] ?? '');
  if (!Number.isNaN(bridgeMs)) subject.offMs = clock.now() - bridgeMs;
  return { status: 'ok', found: `${bridgeUrl} answers in ${tookMs} ms` };
}

/** No credential depends on it; figures, certificates and expiries do. */
async function examineClock({ offMs = 0 }: CustomerSubject): Promise<Finding> {
  const found = `${(Math.abs(offMs) / 1_000).toFixed(0)} s ${offMs < 0 ? 'behind' : 'ahead of'} the bridge's`;
  if (Math.abs(offMs) <= clockMsMax) return { status: 'ok', found };
  return {
    status: 'warning',
    found,
    remedy:
      'Set the clocks by NTP: certificates and expiries of keys are judged by this one, and records are dated by it.',
  };
}

/**
 * Proves the identity at a door that is for the other role: the bridge verifies the proof, finds the gateway and whether it is revoked,
 * and refuses before it looks at any seat. Nothing changes there.
 */
async function examineEnrolment(subject: CustomerSubject): Promise<Finding> {
  const { identity, nonce, outbound, bridgeUrl } = subject;
  invariant(
    identity !== undefined && nonce !== undefined && outbound !== undefined && bridgeUrl !== undefined,
    'the check needs a bridge that answers',
  );
  const assertion = await signAssertion({
    gateway: identity.gateway,
    instance: `doctor-${randomBytes(16).toString('hex')}`,
    role: 'shipper',
    nonce,
    audience: audienceOf(bridgeUrl),
    key: identity.signing.privateKey,
  });
  const answer = await call({ outbound, bridgeUrl }, 'changes', { authorization: `Bearer ${assertion}` });
  const code = answer.headers['x-isthmus-code'];
  if (code === 'request.forbidden') return { status: 'ok', found: 'the bridge knows this identity' };
  return {
    status: 'failed',
    found: `the bridge refuses this identity: ${code ?? describeStranger(answer)}`,
    remedy: remedies.get(code ?? '') ?? 'The log of the bridge says why.',
  };
}

const remedies: ReadonlyMap<string, string> = new Map([
  [
    'bridge.revoked',
    'It was revoked for good: remove identity.json and seat.json, and enrol with a new token.',
  ],
  [
    'bridge.unknown_gateway',
    'Its fleet was deleted, or the bridge has another database: enrol with a new token.',
  ],
  [
    'trust.wrong_audience',
    'The bridge does not know the address that is dialled: add it to publicUrls of the bridge.',
  ],
  [
    'trust.bad_signature',
    'identity.json is not the one that enrolled: restore it, or enrol with a new token.',
  ],
]);

async function call(
  { outbound, bridgeUrl }: { readonly outbound: Outbound; readonly bridgeUrl: string },
  path: 'nonce' | 'changes',
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>> }> {
  const url = new URL(`bridge/v1/${path}`, bridgeUrl.endsWith('/') ? bridgeUrl : `${bridgeUrl}/`).href;
  try {
    const answer = await outbound.request(url, { headers, timeoutMs, bodyBytesMax: answerBytesMax });
    await answer.text();
    return answer;
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new Fault(cause.code, {
      detail: `${bridgeUrl} cannot be reached: ${cause.detail}`,
      internal: cause.internal,
      hint:
        cause.hint ??
        'Look at the firewall, outbound.proxy.url and outbound.caFile, and whether the bridge is up.',
      cause,
    });
  }
}
