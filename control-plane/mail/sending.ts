import { randomUUID } from 'node:crypto';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { Metrics } from '../../proto/process/metrics.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { keepLease, releaseLease, takeLease } from '../storage/leases.ts';
import { createRecurring } from '../storage/recurring.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { type LetterId, letters } from './letters.ts';
import { factsOf } from './mail.ts';
import { countAllWaiting, dueMails, forgetMails, type OutgoingMail, updateWaiting } from './mail.store.ts';
import type { MailSettings } from './settings.ts';
import { type Delivery, deliverMsMax, type Smtp } from './smtp.ts';
import { write } from './written.ts';

/** What sends. */
export interface SendingOptions {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly smtp: Smtp;
  readonly settings: MailSettings;
}

/** What is known of the server; undefined while it takes mails. */
export interface Sending {
  readonly done: Promise<void>;
  trouble(): string | undefined;
}

const lease = { name: 'mail.sending', leaseMs: 2 * deliverMsMax };
const lookEveryMs = 1_000;
/** Mails at once, of all organizations; and of one in a look. */
const runningMax = 4;
const perOrganization = 8;
const perLook = 64;
const firstPauseMs = 15_000;
const pauseMsMax = 3_600_000;
/** Of what a server puts off. */
const triesMax = 40;
/** How long a server that takes nothing is left alone. */
const troublePauseMs = 5_000;
/** How long a mail waits that it did not take. */
const outagePauseMs = 30_000;
const forgetEveryMs = 60_000;

/**
 * Sends what waits, until the signal; one control plane on the database at a time.
 *
 * A try is written down before it is made, with when the next one is: who is killed while he sends leaves a mail that is tried again after
 * its pause. It may have been taken by then: a mail comes once or, with the same id, twice, and not never.
 */
export function sendMails(options: SendingOptions, signal: AbortSignal): Sending {
  const sender = new Sender(options, signal);
  return { done: sender.run(), trouble: () => sender.trouble };
}

class Sender {
  trouble: string | undefined = undefined;
  readonly #options: SendingOptions;
  readonly #signal: AbortSignal;
  readonly #holder = randomUUID();
  readonly #ended;
  readonly #waiting;
  readonly #outage;
  #forgottenAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SendingOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { metrics } = options;
    this.#ended = metrics.counter('isthmus_mail_total', 'Mails that were sent, or given up.', ['outcome']);
    this.#waiting = metrics.gauge('isthmus_mail_waiting', 'Mails that wait, in all organizations.');
    this.#outage = createRecurring(options, {
      lasts: 'mails wait: no server takes them',
      over: 'mails are sent again',
    });
  }

  async run(): Promise<void> {
    const { clock, storage, log } = this.#options;
    const queue = createRecurring(this.#options, {
      lasts: 'mails wait for the database',
      over: 'mails that waited for the database are looked at again',
    });
    while (!this.#signal.aborted) {
      let pauseMs = lookEveryMs;
      try {
        const { tried, isTroubled } = await this.#look();
        if (isTroubled) pauseMs = troublePauseMs;
        else if (tried >= perLook) pauseMs = 0;
        queue.worked();
      } catch (error) {
        queue.failed({ err: error });
      }
      if (pauseMs > 0) await clock.delay(pauseMs, this.#signal);
    }
    await releaseLease(storage.db, lease.name, this.#holder).catch((error: unknown) =>
      log.debug({ err: error }, 'the lease of mails ends by itself'),
    );
  }

  async #look(): Promise<{ readonly tried: number; readonly isTroubled: boolean }> {
    const { storage, clock, settings } = this.#options;
    if ((await takeLease(storage, { ...lease, holder: this.#holder })) === undefined)
      return { tried: 0, isTroubled: false };
    const nowMs = clock.now();
    this.#waiting.set(await countAllWaiting(storage.db));
    if (clock.monotonicMs() - this.#forgottenAtMs >= forgetEveryMs) {
      await forgetMails(storage.db, nowMs - settings.keptMs);
      this.#forgottenAtMs = clock.monotonicMs();
    }
    const due = [
      ...(await dueMails(storage.db, { nowMs, pauseMsMax, each: perOrganization, limit: perLook })),
    ];
    const tried = due.length;
    let isTroubled = false;
    const work = async (): Promise<void> => {
      // Once the server takes nothing the rest waits as it is.
      while (!isTroubled && !this.#signal.aborted) {
        const mail = due.shift();
        if (mail === undefined) return;
        isTroubled ||= (await this.#send(mail)) === 'trouble';
      }
    };
    await Promise.all(Array.from({ length: runningMax }, work));
    return { tried, isTroubled };
  }

  async #send(mail: OutgoingMail): Promise<Delivery['kind'] | undefined> {
    const { clock, smtp, settings } = this.#options;
    const nowMs = clock.now();
    if (nowMs >= mail.ends_at_ms) return this.#end(mail, 'FAILED', mail.problem ?? 'It was too old.');
    const tries = mail.tries + 1;
    const isMine = await this.#write((trx) =>
      updateWaiting(trx, mail, { tries, due_at_ms: nowMs + pauseMsAfter(tries) }),
    );
    if (!isMine) return undefined;
    const tried = { ...mail, tries };
    const message = this.#messageOf(tried, nowMs);
    if (typeof message === 'string') return this.#end(tried, 'FAILED', message);
    const delivery = await smtp.deliver(message, this.#signal);
    if (delivery.kind !== 'trouble') {
      this.trouble = undefined;
      this.#outage.worked();
    } else if (!this.#signal.aborted) {
      this.trouble = delivery.problem;
      this.#outage.failed({ problem: delivery.problem, server: settings.smtp.host });
    }
    await this.#note(tried, delivery);
    return delivery.kind;
  }

  #messageOf(mail: OutgoingMail, nowMs: number) {
    const { keyring, log } = this.#options;
    if (!isLetter(mail.template)) return 'This version knows no such mail.';
    try {
      const { problem, ...written } = write(letters[mail.template], factsOf(keyring, mail), { nowMs });
      if (problem !== undefined)
        log.warn({ mail: mail.id, problem }, 'a template of mails fails; its default was used');
      return { id: mail.id, to: mail.recipient, ...written };
    } catch (error) {
      if (!(error instanceof Fault) || !error.code.startsWith('secrets.')) throw error;
      log.error({ err: error, mail: mail.id }, 'a mail cannot be opened');
      return error.detail;
    }
  }

  async #note(mail: OutgoingMail, delivery: Delivery): Promise<undefined> {
    if (delivery.kind === 'sent') return this.#end(mail, 'SENT', null);
    const isOver = delivery.kind === 'refused' && (delivery.isForGood || mail.tries >= triesMax);
    if (isOver) return this.#end(mail, 'FAILED', delivery.problem);
    const { problem } = delivery;
    // A server that takes nothing says nothing of this mail: it counts no try, and an hour of pause would outlast the outage.
    const again =
      delivery.kind === 'trouble'
        ? { tries: mail.tries - 1, due_at_ms: this.#options.clock.now() + outagePauseMs }
        : {};
    await this.#write((trx) => updateWaiting(trx, mail, { problem, ...again }));
    return undefined;
  }

  /** Its text is forgotten with it. */
  async #end(mail: OutgoingMail, state: 'SENT' | 'FAILED', problem: string | null): Promise<undefined> {
    const nowMs = this.#options.clock.now();
    await this.#write((trx) => updateWaiting(trx, mail, { state, problem, sealed: null, due_at_ms: nowMs }));
    this.#ended.inc({ outcome: state === 'SENT' ? 'sent' : 'given up' });
    if (state === 'FAILED')
      this.#options.log.warn(
        {
          mail: mail.id,
          organization: mail.organization,
          template: mail.template,
          tries: mail.tries,
          problem,
        },
        'a mail was given up',
      );
    return undefined;
  }

  /** False when somebody else sends by now. */
  #write(work: (trx: Trx) => Promise<boolean>): Promise<boolean> {
    const { storage } = this.#options;
    return storage.transaction(async (trx) => {
      if (!(await keepLease(trx, storage.dialect, { ...lease, holder: this.#holder }))) return false;
      return work(trx);
    });
  }
}

const isLetter = (id: string): id is LetterId => Object.hasOwn(letters, id);

/** 15 s, 30 s, 1 min ... an hour. */
const pauseMsAfter = (tries: number): number => Math.min(pauseMsMax, firstPauseMs * 2 ** (tries - 1));
