import type { Code } from './codes.ts';

/** The part of the register that mails and notifications raise. */
export const notificationCodes = {
  'notification.invalid': { status: 400, owner: 'client', text: 'The notification is not valid.' },
  'notification.configuration.notFound': {
    status: 404,
    owner: 'client',
    text: 'There is no such notification setting here.',
  },
  'notificationTemplate.notFound': {
    status: 404,
    owner: 'client',
    text: 'There is no such template, or nobody has written one in place of it.',
  },
  'notification.portal.notFound': { status: 404, owner: 'client', text: 'You have no such notification.' },
  'email.disabled': {
    status: 503,
    owner: 'config',
    text: 'This needs a mail, and no mails are sent here.',
    hint: 'Whoever runs the control plane sets mail.smtp.host.',
  },
  'mail.queue_full': {
    status: 503,
    owner: 'capacity',
    text: 'Too many mails of the organization wait to be sent.',
    hint: 'Try again later; the log of the control plane says why they wait.',
  },
} as const satisfies Readonly<Record<string, Code>>;
