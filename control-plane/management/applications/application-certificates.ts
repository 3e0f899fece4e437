import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import { readClientCertificates } from '../../../proto/trust/client-certificates.ts';
import type { Actor } from '../../access/actor.ts';
import { type Change, type Desk, isAsBefore } from '../desk.ts';
import { momentSchema, nameSchema, present, readOnlyFields } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';
import {
  type ApplicationRef,
  foundApplication,
  changeApplication,
  settleApplication,
} from './applications.ts';
import type { ApplicationRow } from './applications.store.ts';
import { certificateSchema, tlsSettingsSchema } from './certificates.ts';

const momentsFields = { startsAt: momentSchema.optional(), endsAt: momentSchema.optional() };

/** Body of a creation. */
export const createCertificateSchema = z
  .strictObject({ name: nameSchema, certificate: certificateSchema, ...momentsFields })
  .openapi('NewClientCertificate');

/** Body of an update: another certificate is another one. */
export const updateCertificateSchema = z
  .strictObject({
    ...readOnlyFields(
      'id',
      'applicationId',
      'environmentId',
      'createdAt',
      'updatedAt',
      'certificate',
      'certificateExpiration',
      'subject',
      'issuer',
      'fingerprint',
      'status',
    ),
    name: nameSchema,
    ...momentsFields,
  })
  .openapi('UpdateClientCertificate');

const readFields = {
  certificateExpiration: z.string(),
  subject: z.string(),
  issuer: z.string(),
};

/** What a certificate says of itself. */
export const certificateFactsSchema = z.object(readFields).openapi('ClientCertificateFacts');

/** A certificate of an application as it is answered; of a bundle the first one speaks for all. */
export const certificateViewSchema = z
  .object({
    id: z.string(),
    applicationId: z.string(),
    environmentId: z.string(),
    name: z.string(),
    ...momentsFields,
    createdAt: z.string().optional(),
    updatedAt: z.string().optional(),
    certificate: z.string(),
    ...readFields,
    fingerprint: z.string(),
    status: z.enum(['ACTIVE', 'ACTIVE_WITH_END', 'SCHEDULED', 'REVOKED']),
  })
  .openapi('ClientCertificate');

type CertificateView = z.infer<typeof certificateViewSchema>;
type Entry = NonNullable<z.infer<typeof tlsSettingsSchema>['client_certificates']>[number];

/** Which certificate of which application is meant. */
export interface CertificateRef extends ApplicationRef {
  readonly certificateId: string;
}

/** What a certificate says of itself. */
export function certificateFacts(text: string): z.infer<typeof certificateFactsSchema> {
  const [first] = readClientCertificates(text);
  return {
    certificateExpiration: new Date(first?.validToMs ?? 0).toISOString(),
    subject: first?.subject ?? '',
    issuer: first?.issuer ?? '',
  };
}

/** A number for the ETag of a certificate, of all that can be changed of it: what it is today passes by itself. */
export function certificateVersionOf({
  name,
  startsAt,
  endsAt,
  updatedAt,
}: Pick<CertificateView, 'name' | 'startsAt' | 'endsAt' | 'updatedAt'>): number {
  return contentVersionOf({ name, startsAt, endsAt, updatedAt });
}

/** A page of the certificates of an application, in the order in which they were added. */
export async function listCertificates(desk: Desk, ref: ApplicationRef & { readonly page: PageWish }) {
  const row = await foundApplication(desk.storage.db, ref);
  const all = entriesOf(row);
  const { limit, offset } = boundsOf(ref.page);
  const data = all.slice(offset, offset + limit).map((entry) => viewOf(row, entry, desk.clock.now()));
  return { data, total: all.length };
}

/** One of them. Errors: request.not_found. */
export async function getCertificate(desk: Desk, ref: CertificateRef): Promise<CertificateView> {
  const row = await foundApplication(desk.storage.db, ref);
  return viewOf(row, found(entriesOf(row), ref.certificateId), desk.clock.now());
}

/** Adds a certificate; gateways learn of it at once. Errors: application.certificate_taken; request.invalid. */
export async function addCertificate(
  desk: Desk,
  actor: Actor,
  ref: ApplicationRef & { readonly wish: z.infer<typeof createCertificateSchema> },
): Promise<CertificateView> {
  const id = idOf(ref.wish.certificate);
  await changeCertificates({ desk, actor, ref, id }, (entries, at) => [
    ...entries,
    { ...ref.wish, createdAt: at, updatedAt: at },
  ]);
  return getCertificate(desk, { at: ref.at, id: ref.id, certificateId: id });
}

/** Replaces name and times of a certificate. Errors: request.not_found. */
export async function updateCertificate(
  desk: Desk,
  actor: Actor,
  ref: CertificateRef & {
    readonly wish: z.infer<typeof updateCertificateSchema>;
    readonly ifMatch?: string | undefined;
  },
): Promise<CertificateView> {
  const { name, startsAt, endsAt } = ref.wish;
  await changeCertificates({ desk, actor, ref, id: ref.certificateId }, (entries, at) => {
    const before = found(entries, ref.certificateId);
    checkIfMatch(ref.ifMatch, certificateVersionOf(named(before)));
    const wished = { name, startsAt, endsAt };
    if (isAsBefore(before, wished)) return entries;
    const changed = present({ ...before, ...wished, updatedAt: at });
    return entries.map((entry) => (entry === before ? changed : entry));
  });
  return getCertificate(desk, ref);
}

/** Removes a certificate. Errors: request.not_found, application.certificate_needed. */
export function removeCertificate(
  desk: Desk,
  actor: Actor,
  ref: CertificateRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return changeCertificates({ desk, actor, ref, id: ref.certificateId }, (entries) => {
    const before = found(entries, ref.certificateId);
    checkIfMatch(ref.ifMatch, certificateVersionOf(named(before)));
    const { certificate } = before;
    return entries.filter((entry) => entry.certificate !== certificate);
  });
}

async function changeCertificates(
  {
    desk,
    actor,
    ref,
    id,
  }: { readonly desk: Desk; readonly actor: Actor; readonly ref: ApplicationRef; readonly id: string },
  work: (entries: readonly Entry[], at: string) => readonly Entry[],
): Promise<void> {
  await changeApplication({ desk, actor, ref }, async (now: Change, row: ApplicationRow) => {
    const before = entriesOf(row);
    const entries = work(before, new Date(now.nowMs).toISOString());
    if (entries === before) return row;
    const parsed = tlsSettingsSchema.safeParse({ client_certificates: entries });
    if (!parsed.success) throw new Fault('request.invalid', { details: detailsOf(parsed.error.issues, '') });
    const settings = { ...(JSON.parse(row.settings) as object), tls: parsed.data };
    return settleApplication(now, row, {
      set: { settings: JSON.stringify(settings) },
      touched: { CLIENT_CERTIFICATE: id },
    });
  });
}

/** Those of the reference's older field among them. */
function entriesOf({ settings }: ApplicationRow): readonly Entry[] {
  const { tls } = JSON.parse(settings) as { readonly tls?: z.infer<typeof tlsSettingsSchema> };
  const single = tls?.client_certificate;
  return [...(single === undefined ? [] : [{ certificate: single }]), ...(tls?.client_certificates ?? [])];
}

/** No certificate is there twice, so the first of an entry names it. */
function idOf(text: string): string {
  return readClientCertificates(text)[0]?.sha256.toString('hex').slice(0, 32) ?? '';
}

function found(entries: readonly Entry[], id: string): Entry {
  const entry = entries.find(({ certificate }) => idOf(certificate) === id);
  if (entry === undefined)
    throw new Fault('request.not_found', { detail: `The application has no certificate "${id}".` });
  return entry;
}

const named = (entry: Entry) => ({
  ...entry,
  name: entry.name ?? certificateFacts(entry.certificate).subject,
});

function viewOf(row: ApplicationRow, entry: Entry, nowMs: number): CertificateView {
  const facts = certificateFacts(entry.certificate);
  return present({
    id: idOf(entry.certificate),
    applicationId: row.id,
    environmentId: row.environment,
    ...named(entry),
    ...facts,
    fingerprint: readClientCertificates(entry.certificate)[0]?.sha256.toString('hex') ?? '',
    status: statusOf(entry, nowMs),
  });
}

function statusOf({ startsAt, endsAt }: Entry, nowMs: number): CertificateView['status'] {
  if (endsAt !== undefined && Date.parse(endsAt) <= nowMs) return 'REVOKED';
  if (startsAt !== undefined && Date.parse(startsAt) > nowMs) return 'SCHEDULED';
  return endsAt === undefined ? 'ACTIVE' : 'ACTIVE_WITH_END';
}
