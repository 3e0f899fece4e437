import { rootCertificates } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import { readAuthorities, readPemFile } from '../../proto/process/pem-files.ts';
import { keptText } from '../storage/kept-text.ts';
import { type Delivery, deliverMsMax } from './outbox.ts';
import type { MailSettings } from './settings.ts';
import type { Written } from './written.ts';

/** A mail on its way to the server. */
export interface Message extends Written {
  /** The same at each try, so that who got it twice can be told so by the server that keeps the mailbox. */
  readonly id: string;
  readonly to: string;
}

/** Hands mails to a server, each over a connection of its own. */
export interface Smtp {
  /** Within {@link deliverMsMax}. Never rejects. */
  deliver(message: Message, signal: AbortSignal): Promise<Delivery>;
  /** Reads the files again. Says whether they have changed. Errors: config.invalid. */
  reload(): boolean;
}

/** Opens the way to the server that the settings name, if they do. Errors: config.invalid for a file that cannot be used. */
export function openSmtp(settings: MailSettings): Smtp | undefined {
  const { host } = settings.smtp;
  let files = readFiles(settings);
  if (host === undefined) return undefined;
  return {
    reload() {
      const next = readFiles(settings);
      if (isDeepStrictEqual(next, files)) return false;
      files = next;
      return true;
    },
    async deliver(message, signal) {
      const transport = createTransport(optionsOf(host, settings.smtp, files));
      const from = { address: settings.from, name: settings.fromName };
      try {
        await transport.sendMail({
          from,
          // One object each: a text would be read as a list.
          to: { address: message.to, name: '' },
          envelope: { from: settings.from, to: [message.to] },
          subject: settings.subject.replace('%s', () => message.subject),
          html: message.html,
          text: message.text,
          messageId: `<${message.id}@${settings.from.split('@').at(-1) ?? 'localhost'}>`,
          // RFC 3834: nobody's holiday answers it.
          headers: { 'Auto-Submitted': 'auto-generated' },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal: AbortSignal.any([signal, AbortSignal.timeout(deliverMsMax)]),
        });
        return { kind: 'sent' };
      } catch (error) {
        return deliveryOf(error, files.password);
      } finally {
        transport.close();
      }
    },
  };
}

interface Files {
  readonly authorities: string | undefined;
  readonly password: string | undefined;
}

const readFiles = ({ smtp }: MailSettings): Files => ({
  authorities: smtp.caFile === undefined ? undefined : readAuthorities(smtp.caFile),
  password: smtp.passwordFile === undefined ? undefined : readPemFile(smtp.passwordFile).trim(),
});

function optionsOf(
  host: string,
  smtp: MailSettings['smtp'],
  { authorities, password }: Files,
): SMTPTransportOptions {
  return {
    host,
    port: smtp.port,
    secure: smtp.tls === 'implicit',
    requireTLS: smtp.tls === 'starttls',
    ignoreTLS: smtp.tls === 'none',
    ...(smtp.username === undefined ? {} : { auth: { user: smtp.username, pass: password ?? '' } }),
    tls: authorities === undefined ? {} : { ca: [...rootCertificates, authorities] },
    connectionTimeout: smtp.connectMsMax,
    dnsTimeout: smtp.connectMsMax,
    greetingTimeout: smtp.connectMsMax,
    socketTimeout: smtp.answerMsMax,
    // What a server says is told to people; nobody reads more of it.
    maxResponseSize: 64 * 1_024,
  };
}

const problemCharsMax = 512;

function deliveryOf(error: unknown, password: string | undefined): Delivery {
  const { code, responseCode, response, message, permanent } = error as {
    readonly code?: string;
    readonly responseCode?: number;
    readonly response?: string;
    readonly message?: string;
    readonly permanent?: boolean;
  };
  const problem = shown(response ?? message ?? String(error), password);
  // Of the sender, the recipient or the text; what is said to a greeting or a sign-in is meant for all mails.
  const isOfThis = responseCode !== undefined && (code === 'EENVELOPE' || code === 'EMESSAGE');
  return isOfThis
    ? { kind: 'refused', problem, isForGood: permanent === true }
    : { kind: 'trouble', problem: `${code ?? 'error'}: ${problem}` };
}

/** A server may say what it was told; the password is in none of that. */
function shown(text: string, password: string | undefined): string {
  const secrets =
    password === undefined || password === '' ? [] : [password, Buffer.from(password).toString('base64')];
  const said = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return keptText(said.replaceAll(/\p{Cc}+/gu, ' '), problemCharsMax);
}
