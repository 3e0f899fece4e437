import { createHash, randomBytes } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Desk, OrganizationChange } from '../desk.ts';
import { resolveOrganization } from '../tenants/tenants.store.ts';

/** Whether people can be sent links: there is a server of mails, and somebody has said where browsers reach us. */
export const canSendLinks = ({ mail, publicUrl }: Pick<Desk, 'mail' | 'publicUrl'>): boolean =>
  mail.isOn && publicUrl !== undefined;

/** Errors: email.disabled without a server of mails or an address of this installation; request.forbidden where passwords open nothing. */
export function demandLinks(desk: Desk): void {
  demandPasswords(desk);
  if (!canSendLinks(desk))
    throw new Fault('email.disabled', {
      hint: 'Whoever runs the control plane sets mail.smtp.host and publicUrl.',
    });
}

/** Errors: request.forbidden where passwords open nothing. */
export function demandPasswords({ access }: Desk): void {
  if (!access.allowsPasswords)
    throw new Fault('request.forbidden', { detail: 'Passwords open nothing here.' });
}

/** What a link proves with, and what is kept of it. */
export function newLinkToken(): { readonly token: string; readonly hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: linkHashOf(token) };
}

/** What is kept of what a link holds. */
export const linkHashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A link of the address that settings say, never of a request: the fragment reaches no log and no other site. */
export async function linkTo(
  desk: Desk,
  now: OrganizationChange,
  { page, token }: { readonly page: 'new-password' | 'finish-registration'; readonly token: string },
): Promise<string> {
  const hrid = (await resolveOrganization(now.trx, now.organization))?.hrid ?? now.organization;
  return `${consoleUrl(desk)}/${page}#${encodeURIComponent(hrid)}/${token}`;
}

/** The page on which people sign in to the organization. */
export async function signInUrl(desk: Desk, now: OrganizationChange): Promise<string> {
  const hrid = (await resolveOrganization(now.trx, now.organization))?.hrid ?? now.organization;
  return `${consoleUrl(desk)}/sign-in?organization=${encodeURIComponent(hrid)}`;
}

const consoleUrl = ({ publicUrl = '' }: Desk): string => `${publicUrl.replace(/\/+$/, '')}/console`;
