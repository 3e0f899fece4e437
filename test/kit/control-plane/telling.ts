import type { TestContext } from 'node:test';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { sendMails } from '../../../control-plane/mail/sending.ts';
import { mailSettings } from '../../../control-plane/mail/settings.ts';
import { openSmtp } from '../../../control-plane/mail/smtp.ts';
import { sendWebhooks } from '../../../control-plane/mail/webhooks.ts';
import { tellRaised } from '../../../control-plane/management/notifications/telling.ts';
import { eventually } from '../eventually.ts';
import type { Office } from './office.ts';
import { openCaller } from './polling.ts';

/** Tells what an office raises, by mail and webhook too, until the test ends; gives what moves its time on until something holds. */
export function startTelling(t: TestContext, office: Office, mail: unknown) {
  const { desk, storage, clock, keyring } = office;
  const log = createLog({ name: 'test', level: 'silent' });
  const ending = new AbortController();
  const outbound = openCaller();
  const settings = mailSettings.parse(mail);
  const smtp = openSmtp(settings);
  const parts = { storage, clock, log, keyring, metrics: createMetrics() };
  const running = [
    tellRaised({ desk, log, endsSoonDays: [] }, ending.signal),
    sendWebhooks({ ...parts, outbound }, ending.signal).done,
    ...(smtp === undefined ? [] : [sendMails({ ...parts, smtp, settings }, ending.signal).done]),
  ];
  t.after(async () => {
    ending.abort();
    await Promise.all(running);
    await outbound.close();
  });
  return {
    until: <T>(check: () => T | Promise<T>) =>
      eventually(
        async () => {
          if (clock.pending > 0) await clock.advance(1_000);
          return check();
        },
        { timeoutMs: 10_000 },
      ),
  };
}
