import { readAhead } from './gateway/deploy/read-ahead.ts';
import { join } from 'node:path';

import { Fault } from '../proto/faults/fault.ts';
import { catalog } from '../proto/policies/catalog.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import {
  createOutbound,
  createTlsReload,
  type Outbound,
  toOutboundOptions,
} from '../proto/process/outbound/outbound.ts';
import { isPlainBeyondLoopback } from '../proto/process/plain-http.ts';
import { createLazyKeyring } from '../proto/process/secrets.ts';
import {
  type EnrolledIdentity,
  identityFile,
  loadIdentity,
  saveIdentity,
  type Sealer,
} from '../proto/trust/identity.ts';
import { ticketFile } from '../proto/trust/seat-file.ts';
import { readEnrolmentToken } from '../proto/trust/tokens.ts';
import type { FollowParts, RunningSource, Source } from './source.ts';
import { compileGroundOf } from './serving.ts';
import type { GatewayOptions } from './start.ts';
import { openStore } from './store/store.ts';
import { ensureIdentity } from './sync/enrol.ts';
import { startSync } from './sync/sync.ts';

/** The bridge; enrols when a token is given and there is no identity yet. Errors: config.invalid without either. */
export async function openBridge(options: GatewayOptions): Promise<Source> {
  const { config, clock, lifecycle, version } = options;
  const keyring = createLazyKeyring(foldersOf(config.dataDir).secrets);
  const toBridge = toOutboundOptions(config.outbound, 'private');
  // The bridge's address is the operator's word, wherever it points: by setting, by enrolment, or by the token.
  const bridge =
    config.bridge.url ?? loadIdentity(config.dataDir, keyring)?.bridge ?? bridgeOf(config.bridge.token);
  const outbound = createOutbound({
    ...toBridge,
    allow: [...toBridge.allow, ...(bridge === undefined ? [] : [bridge])],
  });
  lifecycle.onClose('outbound', () => outbound.close());
  lifecycle.onReload('certificates of outbound calls', createTlsReload(outbound, config.outbound));
  const identity = await ensureIdentity({
    token: config.bridge.token,
    dir: config.dataDir,
    keyring,
    outbound,
    clock,
    version,
    allowPlainHttp: config.bridge.allowPlainHttp,
    ...(config.bridge.url !== undefined && { bridgeUrl: config.bridge.url }),
  });
  if (identity === undefined) {
    const file = join(config.dataDir, identityFile);
    throw new Fault('config.invalid', {
      detail: `This gateway is not enrolled: ${file} does not exist.`,
      details: [
        {
          path: 'bridge.token',
          message: `an enrolment token, or \`local\` with a folder of definitions: there is no ${file}`,
        },
      ],
      hint: 'Check dataDir for a slip. Run `isthmus enroll --token-file <file>`, or `isthmus gateway --local <folder>`.',
    });
  }
  return {
    kind: 'bridge',
    gateway: identity.gateway,
    follow: async (parts) => followBridge({ identity, keyring, outbound }, options, parts),
  };
}

function bridgeOf(token: string | undefined): string | undefined {
  return token === undefined ? undefined : readEnrolmentToken(token).bridge;
}

function followBridge(
  {
    identity,
    keyring,
    outbound,
  }: {
    readonly identity: EnrolledIdentity;
    readonly keyring: Sealer;
    readonly outbound: Outbound;
  },
  { config, log, clock, lifecycle, metrics, version, doors }: GatewayOptions,
  { deployments: { apply, confirm, judged, onRefusedLate, onTakenLate }, counters }: FollowParts,
): RunningSource {
  const bridge = config.bridge.url ?? identity.bridge;
  if (isPlainBeyondLoopback(bridge) && !config.bridge.allowPlainHttp)
    log.warn(
      { bridge },
      'the bridge is dialled over plain HTTP: definitions can be read on the way, though not changed; give it TLS, or say bridge.allowPlainHttp',
    );
  const store = openStore({ path: foldersOf(config.dataDir).gatewayStore, log, clock });
  lifecycle.onClose('store', () => store.close());
  const sync = startSync({
    store,
    outbound,
    ...(config.bridge.url !== undefined && { bridgeUrl: config.bridge.url }),
    identity,
    saveRoot: (rootKey) => saveIdentity(config.dataDir, { ...identity, rootKey }, keyring),
    tickets: ticketFile(foldersOf(config.dataDir).gatewaySeat),
    catalogue: Object.keys(catalog),
    version,
    apply,
    readAhead,
    confirm,
    judging: { ground: compileGroundOf({ config, version, doors }), judged, onRefusedLate },
    onTakenLate,
    counters,
    log,
    metrics,
    clock,
    lifecycle,
  });
  return {
    sync,
    state: () => {
      const { environments, ...rest } = sync.state();
      const { mode, problem } = store.health();
      return {
        kind: 'bridge',
        isComplete: rest.isComplete,
        environments: environments.map(({ nacks: _nacks, ...each }) => each),
        problems: [],
        sync: rest,
        store: { mode, problem },
      };
    },
  };
}
