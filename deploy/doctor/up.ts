import { systemClock } from '../../proto/process/clock.ts';
import type { DoctorFlags, Examination } from '../commands/doctor.ts';
import { aloud } from './aloud.ts';
import { examine } from './doctor.ts';

/** What is asked of the parts that live on the control plane's database, bucket and bridge: those are examined with it, or run with it. */
const ofBridge = new Set(['settings', 'certificates', 'ports']);
const ofGateway = new Set([...ofBridge, 'disk', 'modes']);
const ofShipper = new Set(['settings', 'certificates', 'ports', 'bucket']);

/** Examines every part of `isthmus up`, with the flags that it takes and the settings that it makes of them. */
export async function examineUp(flags: DoctorFlags): Promise<readonly Examination[]> {
  const { loadUpConfigs } = await import('../up-settings.ts');
  const { platformChecks } = await import('./platform.ts');
  const { customerChecks } = await import('./customer.ts');
  const { dataDir, portOffset = 0, set = [], config: file } = flags;
  const read = () =>
    loadUpConfigs({
      ...(dataDir !== undefined && { dataDir }),
      portOffset,
      set,
      logLevel: 'warn',
      ...(file !== undefined && { config: file }),
    });
  const sources = new Map<string, string>();
  const controlPlane = await examine(
    { isOfUp: true, process: 'control-plane', load: () => ({ config: read().controlPlane, sources }) },
    platformChecks,
    aloud,
  );
  // They are read together, and what is wrong with them is told once.
  if (controlPlane.some(({ check, status }) => check === 'settings' && status === 'failed'))
    return [{ process: 'up', findings: controlPlane }];
  const { bridge, gateway, shipper, controlPlane: own } = read();
  const { dataDir: ownDir, database, blobs } = own;
  const bridgeFindings = await examine(
    { process: 'bridge', load: () => ({ config: { ...bridge, dataDir: ownDir, database, blobs }, sources }) },
    platformChecks.filter(({ name }) => ofBridge.has(name)),
    aloud,
  );
  const shared = { clock: systemClock, isOfUp: true };
  const gatewayFindings = await examine(
    { ...shared, process: 'gateway', load: () => ({ config: gateway, sources }) },
    customerChecks.filter(({ name }) => ofGateway.has(name)),
    aloud,
  );
  const shipperFindings = await examine(
    { ...shared, process: 'shipper', load: () => ({ config: shipper, sources }) },
    customerChecks.filter(({ name }) => ofShipper.has(name)),
    aloud,
  );
  return [
    { process: 'control-plane', findings: controlPlane },
    { process: 'bridge', findings: bridgeFindings },
    { process: 'gateway', findings: gatewayFindings },
    { process: 'shipper', findings: shipperFindings },
  ];
}
