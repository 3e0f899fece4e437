import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import type { Keyring } from '../proto/process/secrets.ts';
import { createAccess } from './access/access.ts';
import type { ControlPlaneConfig } from './config.ts';
import { createMail } from './mail/mail.ts';
import { createWebhooks } from './mail/webhooks.ts';
import type { Desk } from './management/desk.ts';
import { createLive } from './management/live/live.ts';
import { createFleets } from './publish/fleets.ts';
import { createPublisher, type Publisher } from './publish/publisher.ts';
import type { Storage } from './storage/storage.ts';

/** What work at a desk needs, in a control plane and in a command beside it. */
export interface DeskParts {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<
    ControlPlaneConfig,
    'live' | 'login' | 'mail' | 'publish' | 'quotas' | 'gatewaysUrl' | 'publicUrl'
  >;
  readonly metrics?: Metrics | undefined;
}

/** Makes the desk, without analytics. */
export function openDesk({ storage, keyring, clock, log, config, metrics }: DeskParts): {
  readonly publisher: Publisher;
  readonly desk: Omit<Desk, 'analytics'>;
} {
  const publisher = createPublisher({ storage, keyring, clock, log, settings: config.publish });
  const { sessionMs, allowPasswords, ...throttle } = config.login;
  const fleets = createFleets({ storage, publisher, clock });
  const access = createAccess({ storage, clock, sessionMs, throttle, allowPasswords });
  const mail = createMail({ keyring, settings: config.mail });
  const webhooks = createWebhooks({ keyring });
  const live = createLive({ storage, clock, log, metrics, limits: config.live });
  const { gatewaysUrl, publicUrl } = config;
  const { apisMax, applicationsMax, subscriptionsMax, pagesMax } = config.quotas;
  const quotas = {
    apis: apisMax,
    applications: applicationsMax,
    subscriptions: subscriptionsMax,
    pages: pagesMax,
  };
  const parts = { storage, publisher, fleets, access, mail, webhooks, live, clock };
  return { publisher, desk: { ...parts, quotas, gatewaysUrl, publicUrl } };
}
