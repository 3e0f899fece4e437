import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { openKeyring } from '../../../proto/process/secrets.ts';
import { sendMails } from '../../../control-plane/mail/sending.ts';
import { mailSettings } from '../../../control-plane/mail/settings.ts';
import { openSmtp } from '../../../control-plane/mail/smtp.ts';
import { openStorage } from '../../../control-plane/storage/storage.ts';

// Sends what waits in the database of a folder, until it is killed: node mail-sender-main.ts <folder> <port>
const [, , dataDir = '', port = ''] = process.argv;
const log = createLog({ name: 'sender', level: 'info' });
const storage = await openStorage({ dataDir, log });
const settings = mailSettings.parse({ smtp: { host: '127.0.0.1', port: Number(port), tls: 'none' } });
const smtp = openSmtp(settings);
if (smtp === undefined) throw new Error('no server');
const keyring = openKeyring({ dir: `${dataDir}/secrets`, mustExist: true });
const metrics = createMetrics();
const options = { storage, keyring, clock: systemClock, log, metrics, smtp, settings };
await sendMails(options, new AbortController().signal).done;
