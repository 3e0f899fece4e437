import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import type { Storage } from '../storage/storage.ts';
import { hookOf, letterOf } from './hooks.ts';
import { type Letter, letters } from './letters.ts';
import { factsOf } from './mail.ts';
import { emptyOutbox, type Sending } from './outbox.ts';
import type { Outgoing } from './outbox.store.ts';
import type { MailSettings } from './settings.ts';
import type { Message, Smtp } from './smtp.ts';
import { write } from './written.ts';

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
      async deliver(mail, ending) {
        const message = messageOf(options, mail);
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
function messageOf({ keyring, log, clock }: SendingOptions, mail: Outgoing): Message | string {
  const letter = findLetter(mail.template);
  if (letter === undefined) return 'This version knows no such mail.';
  try {
    const written = write(letter, factsOf(keyring, mail), clock.now());
    return { id: mail.id, to: mail.recipient, ...written };
  } catch (error) {
    if (!(error instanceof Fault) || !error.code.startsWith('secrets.')) throw error;
    log.error({ err: error, mail: mail.id }, 'a mail cannot be opened');
    return error.detail;
  }
}

function findLetter(id: string): Letter | undefined {
  const hook = hookOf(id);
  if (hook !== undefined) return letterOf(hook);
  return Object.hasOwn(letters, id) ? letters[id as keyof typeof letters] : undefined;
}
