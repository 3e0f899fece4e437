import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Keyring } from '../proto/process/secrets.ts';
import { createAccess } from './access/access.ts';
import type { ControlPlaneConfig } from './config.ts';
import { createMail } from './mail/mail.ts';
import type { Desk } from './management/desk.ts';
import { createFleets } from './publish/fleets.ts';
import { createPublisher, type Publisher } from './publish/publisher.ts';
import type { Storage } from './storage/storage.ts';

/** What work at a desk needs, in a control plane and in a command beside it. */
export interface DeskParts {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<ControlPlaneConfig, 'login' | 'publish' | 'mail' | 'gatewaysUrl' | 'publicUrl'>;
}

/** Makes the desk, without analytics. */
export function openDesk({ storage, keyring, clock, log, config }: DeskParts): {
  readonly publisher: Publisher;
  readonly desk: Omit<Desk, 'analytics'>;
} {
  const publisher = createPublisher({ storage, keyring, clock, log, settings: config.publish });
  const { sessionMs, allowPasswords, ...throttle } = config.login;
  const fleets = createFleets({ storage, publisher, clock });
  const access = createAccess({ storage, clock, sessionMs, throttle, allowPasswords });
  const mail = createMail({ keyring, settings: config.mail });
  const { gatewaysUrl, publicUrl } = config;
  return { publisher, desk: { storage, publisher, fleets, access, mail, clock, gatewaysUrl, publicUrl } };
}
