import type { GivenShape } from '../../proto/freemarker/template.ts';

/** A mail that this product writes: what it is for, what its template is given, and the template of who has not written another. */
export interface Letter {
  readonly name: string;
  readonly description: string;
  /** What a template is given: texts, or things with members that are texts. */
  readonly given: GivenShape;
  /** Subject: a template of one line of text. */
  readonly title: string;
  /** A template of HTML without head and body; texts that it writes are escaped. */
  readonly content: string;
}

const letter = <const One extends Letter>(one: One): One => one;

const user = ['displayName', 'email'] as const;
const hello = '<p>Hello ${user.displayName},</p>\n';
const ignore = '<p>If you did not ask for this, ignore this mail: nothing changes.</p>\n';

/** The mails that this product writes, in the reference product's names where it has one. */
export const letters = {
  USER_REGISTRATION: letter({
    name: 'Registration',
    description: 'To whoever has registered: the link that finishes it.',
    given: { user, registrationUrl: [] },
    title: 'Finish your registration',
    content: `${hello}<p>Choose a password to finish your registration:</p>
<p><a href="\${registrationUrl}">Finish the registration</a></p>
${ignore}`,
  }),
  USER_REGISTRATION_WAITING: letter({
    name: 'Registration that waits',
    description: 'To whoever has registered, where somebody has to approve it.',
    given: { user },
    title: 'Your registration waits for approval',
    content: `${hello}<p>We have your registration. Somebody has to approve it first; you will get a mail then.</p>\n`,
  }),
  USER_REGISTRATION_KNOWN: letter({
    name: 'Registration of who is known',
    description: 'To whoever has registered with an address that a user has already.',
    given: { user, signInUrl: [] },
    title: 'You have an account already',
    content: `${hello}<p>Somebody asked for an account with this address. It is known already: it has an account, or one that waits for
approval.</p>
<p><a href="\${signInUrl}">To the sign-in page</a></p>
${ignore}`,
  }),
  USER_REGISTRATION_REQUEST_PROCESSED: letter({
    name: 'Registration was judged',
    description: 'To whoever has registered: it was accepted or rejected.',
    given: { user, registrationStatus: [], signInUrl: [] },
    title: 'Your registration was ${registrationStatus?lower_case}',
    content: `${hello}<p>Your registration was \${registrationStatus?lower_case}.</p>
<#if signInUrl?has_content><p><a href="\${signInUrl}">Sign in</a></p></#if>
`,
  }),
  USER_INVITATION: letter({
    name: 'Invitation',
    description: 'To a user whom somebody has created: the link with which a password is chosen.',
    given: { user, inviter: ['displayName'], registrationUrl: [] },
    title: '${inviter.displayName} invites you',
    content: `${hello}<p>\${inviter.displayName} has made an account for you. Choose a password to use it:</p>
<p><a href="\${registrationUrl}">Choose a password</a></p>
`,
  }),
  USER_PASSWORD_RESET: letter({
    name: 'Password reset',
    description: 'To a user whose password is to be reset: the link with which another one is chosen.',
    given: { user, resetPasswordUrl: [] },
    title: 'Choose a new password',
    content: `${hello}<p>Somebody asked for a new password for your account:</p>
<p><a href="\${resetPasswordUrl}">Choose a new password</a></p>
${ignore}`,
  }),
} as const;

/** Names a mail. */
export type LetterId = keyof typeof letters;

/** What its template is given. */
export type FactsOf<Id extends LetterId> = {
  readonly [
    Name in keyof (typeof letters)[Id]['given']
  ]: (typeof letters)[Id]['given'][Name] extends readonly []
    ? string
    : (typeof letters)[Id]['given'][Name] extends readonly (infer Member extends string)[]
      ? Readonly<Record<Member, string>>
      : never;
};

/** Facts as they lie in the queue, whichever mail they are for. */
export type Facts = Readonly<Record<string, string | Readonly<Record<string, string>>>>;
