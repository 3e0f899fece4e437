import { z } from '@hono/zod-openapi';

import { Fault } from '../../../proto/faults/fault.ts';
import {
  certificateCharsMax,
  type KnownCertificate,
  readClientCertificates,
} from '../../../proto/trust/client-certificates.ts';
import { wireLimits } from '../../../proto/wire/limits.ts';
import type { Change } from '../desk.ts';
import { momentMs, momentSchema, nameSchema } from '../fields.ts';
import type { ApplicationRow } from './applications.store.ts';
import { releaseCertificates, takeCertificates } from './certificates.store.ts';

/** A text of certificates of clients. */
export const certificateSchema = z
  .string()
  .max(certificateCharsMax)
  .superRefine((text, context) => {
    try {
      readClientCertificates(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });

/** `settings.tls` of an application. */
export const tlsSettingsSchema = z
  .strictObject({
    /** PEM or PKCS7; the reference's older field. */
    client_certificate: certificateSchema.optional(),
    client_certificates: z
      .array(
        z
          .strictObject({
            name: nameSchema.optional(),
            certificate: certificateSchema,
            startsAt: momentSchema.optional(),
            endsAt: momentSchema.optional(),
            /** When it was added and changed by itself. */
            createdAt: momentSchema.optional(),
            updatedAt: momentSchema.optional(),
          })
          .refine(
            ({ startsAt, endsAt }) =>
              startsAt === undefined || endsAt === undefined || Date.parse(startsAt) < Date.parse(endsAt),
            { path: ['endsAt'], message: 'must be after startsAt' },
          ),
      )
      .max(wireLimits.certificatesPerSubscriptionMax)
      .optional(),
  })
  .superRefine((tls, context) => {
    // What cannot be read is said by its own field.
    const read = listed(tls).flatMap(({ text }) => readOrNone(text));
    const say = (message: string): void =>
      context.addIssue({ code: 'custom', path: ['client_certificates'], message });
    if (new Set(read.map(fingerprintOf)).size < read.length) say('hold a certificate twice');
    if (read.length > wireLimits.certificatesPerSubscriptionMax)
      say(`hold more than ${wireLimits.certificatesPerSubscriptionMax} certificates`);
  })
  .openapi('ApplicationTlsSettings');

type TlsSettings = z.infer<typeof tlsSettingsSchema>;

/** A certificate of an application, and when it counts. */
export interface HeldCertificate {
  readonly known: KnownCertificate;
  readonly startingAtMs: number | undefined;
  readonly endingAtMs: number | undefined;
}

/** The certificates of an application. */
export function certificatesOf({ settings }: Pick<ApplicationRow, 'settings'>): readonly HeldCertificate[] {
  const { tls } = JSON.parse(settings) as { readonly tls?: TlsSettings };
  return listed(tls ?? {}).flatMap(({ text, startingAtMs, endingAtMs }) =>
    readClientCertificates(text).map((known) => ({ known, startingAtMs, endingAtMs })),
  );
}

/**
 * Takes the certificates of an application as its settings have them now.
 *
 * Errors: application.certificate_taken where another application of the environment has one: it could not be told who calls.
 */
export async function holdCertificates(now: Change, application: ApplicationRow): Promise<void> {
  const ref = { at: now.at, applicationId: application.id };
  await releaseCertificates(now.trx, ref);
  const held = certificatesOf(application);
  // In one order, so that two such changes cannot wait for each other.
  const fingerprints = held.map(({ known }) => fingerprintOf(known)).toSorted();
  const [taken] = await takeCertificates(now.trx, ref, fingerprints);
  if (taken === undefined) return;
  const subject = held.find(({ known }) => fingerprintOf(known) === taken)?.known.subject ?? '';
  throw new Fault('application.certificate_taken', {
    detail: `The certificate ${subject} (SHA-256 ${taken}) is another application's already.`,
  });
}

const fingerprintOf = ({ sha256 }: KnownCertificate): string => sha256.toString('hex');

function listed({ client_certificate: single, client_certificates: several = [] }: TlsSettings) {
  return [
    ...(single === undefined ? [] : [{ text: single, startingAtMs: undefined, endingAtMs: undefined }]),
    ...several.map(({ certificate: text, startsAt, endsAt }) => ({
      text,
      startingAtMs: momentMs(startsAt) ?? undefined,
      endingAtMs: momentMs(endsAt) ?? undefined,
    })),
  ];
}

function readOrNone(text: string): readonly KnownCertificate[] {
  try {
    return readClientCertificates(text);
  } catch {
    return [];
  }
}
