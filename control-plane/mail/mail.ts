import { randomUUID } from 'node:crypto';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import type { Trx } from '../storage/storage.ts';
import { isAddress } from './addresses.ts';
import { type Hook, type HookFacts, keyOf } from './hooks.ts';
import type { Facts, FactsOf, LetterId } from './letters.ts';
import { countWaiting, insertOutgoing, type Outgoing } from './outbox.store.ts';
import type { MailSettings } from './settings.ts';

/** The change that a mail tells of: it is sent if that commits. */
export interface MailingChange {
  readonly trx: Trx;
  readonly organization: string;
  readonly nowMs: number;
}

/** A mail that somebody wishes to be sent. */
export interface MailWish<Id extends LetterId> {
  /** One address. */
  readonly to: string;
  readonly template: Id;
  /** What the template is given. It may hold secrets, a link with a token in it: it is sealed until the mail was sent. */
  readonly facts: FactsOf<Id>;
  /** When it is worth nothing any more, ms since the epoch; never later than settings say. */
  readonly endsAtMs?: number | undefined;
}

/** Sends mails; see the README of this room. */
export interface Mail {
  /** Whether there is a server. */
  readonly isOn: boolean;
  /**
   * Has a mail sent when the change commits.
   *
   * Errors: email.disabled without a server; mail.queue_full when too many of the organization wait; request.invalid for what is no address.
   */
  send<Id extends LetterId>(now: MailingChange, wish: MailWish<Id>): Promise<void>;
  /**
   * Tells addresses of a hook, each once, and says how many. Nobody waits for that: without a server or room in the queue they are left out, and
   * so is what is no address. Half of the room is for mails that somebody waits for.
   */
  tell(
    now: MailingChange,
    wish: { readonly to: readonly string[]; readonly hook: Hook; readonly facts: HookFacts },
  ): Promise<number>;
}

/** Makes it. */
export function createMail({
  keyring,
  settings,
}: {
  readonly keyring: Keyring;
  readonly settings: MailSettings;
}): Mail {
  const isOn = settings.smtp.host !== undefined;
  const put = async (
    { trx, organization, nowMs }: MailingChange,
    {
      to,
      template,
      facts,
      endsAtMs = Number.POSITIVE_INFINITY,
    }: {
      readonly to: string;
      readonly template: string;
      readonly facts: Facts;
      readonly endsAtMs?: number | undefined;
    },
  ): Promise<void> => {
    const id = randomUUID();
    const sealed = keyring.seal(Buffer.from(JSON.stringify(facts)), mailContext({ organization, id }));
    await insertOutgoing(trx, 'outgoing_mail', {
      id,
      organization,
      template,
      recipient: to,
      sealed,
      state: 'WAITING',
      tries: 0,
      created_at_ms: nowMs,
      due_at_ms: nowMs,
      ends_at_ms: Math.min(endsAtMs, nowMs + settings.ageMsMax),
      problem: null,
    });
  };
  /** How many more may wait of so many. */
  const room = async ({ trx, organization }: MailingChange, most: number): Promise<number> =>
    most - (await countWaiting(trx, 'outgoing_mail', { organization, most }));
  return {
    isOn,
    async send(now, wish) {
      if (!isOn) throw new Fault('email.disabled');
      if (!isAddress(wish.to))
        throw new Fault('request.invalid', {
          details: [{ path: 'email', message: 'must be an address of mail, e.g. someone@example.com' }],
        });
      if ((await room(now, settings.waitingPerOrganizationMax)) <= 0) throw new Fault('mail.queue_full');
      await put(now, wish);
    },
    async tell(now, { to, hook, facts }) {
      const addresses = isOn ? [...new Set(to)].filter(isAddress) : [];
      if (addresses.length === 0) return 0;
      const left = await room(now, Math.ceil(settings.waitingPerOrganizationMax / 2));
      const told = addresses.slice(0, Math.max(0, left));
      for (const address of told) await put(now, { to: address, template: keyOf(hook), facts });
      return told.length;
    },
  };
}

/** What is given to a mail's template. Errors: secrets.* */
export function factsOf(keyring: Keyring, mail: Outgoing): Facts {
  invariant(mail.sealed !== null, 'a mail that waits has something to say');
  return JSON.parse(Buffer.from(keyring.open(mail.sealed, mailContext(mail))).toString()) as Facts;
}

/** What the facts of a mail are bound to. */
export const mailContext = ({ organization, id }: Pick<Outgoing, 'organization' | 'id'>): string =>
  `organization/${organization}/mail/${id}`;
