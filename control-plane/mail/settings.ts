import { z } from 'zod';
import { section } from '../../proto/process/config.ts';
import { addressSchema } from './addresses.ts';

const ms = z.int().min(1);

/** The section `mail` of the control plane's settings. */
export const mailSettings = section({
  smtp: section({
    host: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Server that takes mails; without it none are sent, and what needs one is refused.'),
    port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe(
        'starttls: after STARTTLS, and not at all without it; implicit: from the first byte on (port 465); none: in the clear, for a server on this machine.',
      ),
    caFile: z
      .string()
      .optional()
      .describe('PEM file of authorities that are trusted beside the public ones.'),
    username: z.string().min(1).optional().describe('Name to sign in with at the server.'),
    passwordFile: z.string().optional().describe('File with its password; read again on reload.'),
    connectMsMax: ms.max(60_000).default(10_000).describe('Longest time to connect and be greeted.'),
    answerMsMax: ms.max(60_000).default(20_000).describe('Longest silence of the server after that.'),
  }),
  from: addressSchema.default('noreply@localhost').describe('Address that mails come from.'),
  fromName: z
    .string()
    .max(128)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line')
    .default('Isthmus')
    .describe('Name beside that address.'),
  subject: z
    .string()
    .max(128)
    .regex(/^[^\p{Cc}]*%s[^\p{Cc}]*$/u, 'must be one line that holds %s')
    .default('[Isthmus] %s')
    .describe('Subject of mails; %s stands for what the template says.'),
  waitingPerOrganizationMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe('Most mails of an organization that wait; past it what needs one is refused.'),
  ageMsMax: ms.default(86_400_000).describe('Age at which a mail that could not be sent is given up.'),
  keptMs: ms
    .default(604_800_000)
    .describe('How long it is remembered that a mail was sent or given up; its text is forgotten at once.'),
});

/** See {@link mailSettings}. */
export type MailSettings = z.output<typeof mailSettings>;
