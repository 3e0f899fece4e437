import { join } from 'node:path';

/** Where every process keeps its data unless it is told: gateway and shipper of one machine find each other. */
export const defaultDataDir = 'isthmus-data';

/** Names what lies in a data folder; the only place that knows the names. */
export function foldersOf(dataDir: string) {
  const below = (...names: readonly string[]): string => join(dataDir, ...names);
  return {
    /** Keys that seal what is secret; whoever has the folder has a keyring of its own. */
    secrets: below('secrets'),
    /** A gateway's records, which its shipper reads. */
    spools: below('spool'),
    /** What a gateway knows of its spools, to tell what somebody deletes. */
    spoolLedger: below('spool-ledger.json'),
    /** What the shipper says has arrived. */
    checkpoints: below('checkpoints'),
    /** Keys of an enrolment whose answer has not come yet. */
    begunEnrolment: below('enrolment.json'),
    /** A gateway's last good configuration. */
    gatewayStore: below('gateway', 'store.sqlite'),
    gatewaySeat: below('seat.json'),
    shipper: below('shipper'),
    shipperQuarantine: below('shipper', 'quarantine'),
    shipperSeat: below('shipper', 'seat.json'),
    /** The bucket of a shipper or a control plane that is given none. */
    bucket: below('bucket'),
    blobs: below('blobs'),
    analytics: below('analytics'),
    /** The data folder of the gateway that `isthmus up` brings. */
    gatewayOfUp: below('gateway'),
    /** Locked by the one process of its kind that uses the folder. */
    lockOf: (process: string): string => below(`${process}.lock`),
    /** What `isthmus up` listens on. */
    addresses: below('addresses.json'),
  } as const;
}
