import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import type { Storage } from '../storage/storage.ts';
import { writeInForce } from './in-force.ts';
import { factsOf } from './mail.ts';
import { emptyOutbox, type Sending } from './outbox.ts';
import type { Outgoing } from './outbox.store.ts';
import type { MailSettings } from './settings.ts';
import type { Message, Smtp } from './smtp.ts';
import { keyOfMail, templateOf } from './templates.ts';

export type { Sending } from './outbox.ts';

/** What sends mails. */
export interface SendingOptions {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly smtp: Smtp;
  readonly settings: MailSettings;
}

/** Of what a server puts off. */
const triesMax = 40;
/** All go to one server. */
const runningMax = 4;

/** Sends the mails that wait, until the signal. */
export function sendMails(options: SendingOptions, signal: AbortSignal): Sending {
  const { metrics, smtp, settings } = options;
  const ended = metrics.counter('isthmus_mail_total', 'Mails that were sent, or given up.', ['outcome']);
  const waiting = metrics.gauge('isthmus_mail_waiting', 'Mails that wait, in all organizations.');
  return emptyOutbox(
    {
      ...options,
      queue: 'outgoing_mail',
      name: 'mail',
      keptMs: settings.keptMs,
      triesMax,
      runningMax,
      async deliver(mail, ending) {
        const message = await messageOf(options, mail).catch((error: unknown) => {
          if (error instanceof Fault) return error;
          throw error;
        });
        // The database is away.
        if (message instanceof Fault) return { kind: 'refused', problem: message.detail, isForGood: false };
        return typeof message === 'string'
          ? { kind: 'refused', problem: message, isForGood: true }
          : smtp.deliver(message, ending);
      },
      onEnded: (outcome) => ended.inc({ outcome }),
      onCounted: (count) => waiting.set(count),
    },
    signal,
  );
}

/** The mail, or why there is none. */
async function messageOf(options: SendingOptions, mail: Outgoing): Promise<Message | string> {
  const { keyring, log, storage, clock } = options;
  const template = templateOf(keyOfMail(mail.template));
  if (template === undefined) return 'This version knows no such mail.';
  try {
    const facts = factsOf(keyring, mail);
    const { organization } = mail;
    const nowMs = clock.now();
    const written = await writeInForce({ db: storage.db, log }, { organization, template, facts, nowMs });
    return { id: mail.id, to: mail.recipient, ...written };
  } catch (error) {
    if (!(error instanceof Fault) || !error.code.startsWith('secrets.')) throw error;
    log.error({ err: error, mail: mail.id }, 'a mail cannot be opened');
    return error.detail;
  }
}
