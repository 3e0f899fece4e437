import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Trx } from '../../storage/storage.ts';

/** Whose a client's certificate is. */
interface ApplicationCertificateTable {
  readonly organization: string;
  readonly environment: string;
  /** SHA-256, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly application_id: string;
}

declare module '../../storage/tables.ts' {
  interface Database {
    application_certificate: ApplicationCertificateTable;
  }
}

/** Which certificates of an application are meant. */
export interface CertificatesRef {
  readonly at: EnvironmentRef;
  readonly applicationId: string;
}

/** Gives up what the application holds. */
export async function releaseCertificates(trx: Trx, { at, applicationId }: CertificatesRef): Promise<void> {
  await inTenant(trx.deleteFrom('application_certificate'), at)
    .where('application_id', '=', applicationId)
    .execute();
}

/** Takes certificates for the application; those that another one holds are given back and not taken. */
export async function takeCertificates(
  trx: Trx,
  { at, applicationId }: CertificatesRef,
  fingerprints: readonly string[],
): Promise<readonly string[]> {
  if (fingerprints.length === 0) return [];
  const { organization, environment } = at;
  const taken = await trx
    .insertInto('application_certificate')
    .values(
      fingerprints.map((fingerprint) => ({
        organization,
        environment,
        fingerprint,
        application_id: applicationId,
      })),
    )
    // Whoever inserts the same at this moment is waited for.
    .onConflict((conflict) => conflict.doNothing())
    .returning('fingerprint')
    .execute();
  const own = new Set(taken.map(({ fingerprint }) => fingerprint));
  return fingerprints.filter((fingerprint) => !own.has(fingerprint));
}
