import type { GivenShape } from '../../proto/freemarker/template.ts';
import type { Letter } from './letters.ts';

/** Whose notifications it is one of. PORTAL are those of an environment, as the reference product calls them. */
export type HookScope = 'API' | 'APPLICATION' | 'PORTAL';

/** Something that people can be told of, and how. */
export interface Hook {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly scope: HookScope;
  readonly category: 'API KEY' | 'SUBSCRIPTION' | 'LIFECYCLE' | 'REVIEW' | 'USER';
  /** Templates of one line and of a sentence, over {@link hookGiven}. */
  readonly title: string;
  readonly sentence: string;
}

/** What a template of a hook is given; what the hook has nothing to say of is empty. */
export const hookGiven = {
  api: ['id', 'name', 'version'],
  application: ['id', 'name'],
  plan: ['id', 'name', 'security'],
  subscription: ['id', 'status', 'reason'],
  /** Who did it. */
  owner: ['displayName'],
  /** Whom it happened to. */
  user: ['displayName', 'email'],
  /** When something ends: the day, in UTC, and how many days are left until then. */
  ending: ['date', 'days'],
} as const satisfies GivenShape;

/** Facts of a hook. */
export type HookFacts = {
  readonly [Name in keyof typeof hookGiven]: Readonly<Record<(typeof hookGiven)[Name][number], string>>;
};

type Words = Pick<Hook, 'label' | 'description' | 'title' | 'sentence'>;

const api = '${api.name} (${api.version})';
const subscription = '${application.name} to the plan ${plan.name} of the API ' + api;

const soon = "on ${ending.date} (<#if ending.days == '1'>within a day<#else>in ${ending.days} days</#if>)";

const subscriptionWords: Readonly<Record<string, Words>> = {
  SUBSCRIPTION_NEW: {
    label: 'New subscription',
    description: 'An application asked for a subscription.',
    title: 'New subscription of ${application.name}',
    sentence: '${application.name} has subscribed to the plan ${plan.name} of the API ' + api + '.',
  },
  SUBSCRIPTION_ACCEPTED: {
    label: 'Subscription accepted',
    description: 'A subscription was accepted.',
    title: 'Subscription to ${api.name} accepted',
    sentence: `The subscription of ${subscription} was accepted.`,
  },
  SUBSCRIPTION_CLOSED: {
    label: 'Subscription closed',
    description: 'A subscription was closed.',
    title: 'Subscription to ${api.name} closed',
    sentence: `The subscription of ${subscription} was closed: its calls are refused.`,
  },
  SUBSCRIPTION_PAUSED: {
    label: 'Subscription paused',
    description: 'A subscription was paused.',
    title: 'Subscription to ${api.name} paused',
    sentence: `The subscription of ${subscription} was paused: its calls are refused until it is resumed.`,
  },
  SUBSCRIPTION_RESUMED: {
    label: 'Subscription resumed',
    description: 'A paused subscription was resumed.',
    title: 'Subscription to ${api.name} resumed',
    sentence: `The subscription of ${subscription} was resumed.`,
  },
  SUBSCRIPTION_REJECTED: {
    label: 'Subscription rejected',
    description: 'A subscription was rejected.',
    title: 'Subscription to ${api.name} rejected',
    sentence: `The subscription of ${subscription} was rejected.<#if subscription.reason?has_content> Reason: \${subscription.reason}</#if>`,
  },
  SUBSCRIPTION_EXPIRING: {
    label: 'Subscription ends soon',
    description: 'A subscription ends in some days (notifications.endsSoonDays).',
    title: 'Subscription to ${api.name} ends on ${ending.date}',
    sentence: `The subscription of ${subscription} ends ${soon}: its calls are refused from then on.`,
  },
  SUBSCRIPTION_TRANSFERRED: {
    label: 'Subscription transferred',
    description: 'A subscription was moved to another plan.',
    title: 'Subscription to ${api.name} transferred',
    sentence:
      'The subscription of ${application.name} to the API ' + api + ' was moved to the plan ${plan.name}.',
  },
};

const endingKeyWords: Readonly<Record<string, Words>> = {
  APIKEY_EXPIRING: {
    label: 'API key ends soon',
    description:
      'An API key ends in some days (notifications.endsSoonDays), and no other of its subscription lasts longer.',
    title: 'API key of ${application.name} ends on ${ending.date}',
    sentence:
      'An API key of ${application.name}' +
      `<#if api.name?has_content> for the API ${api}</#if> ends ${soon}: calls with it are refused from then on.`,
  },
};

const keyWords: Readonly<Record<string, Words>> = {
  APIKEY_RENEWED: {
    label: 'API key renewed',
    description: 'A subscription was given a new API key; the others end soon.',
    title: 'API key of ${application.name} renewed',
    sentence: `The API key of the subscription of ${subscription} was renewed; the former ones end soon.`,
  },
  APIKEY_REVOKED: {
    label: 'API key revoked',
    description: 'An API key was revoked.',
    title: 'API key of ${application.name} revoked',
    sentence: `An API key of the subscription of ${subscription} was revoked.`,
  },
  APIKEY_EXPIRED: {
    label: 'API key expires',
    description: 'Somebody said when an API key ends.',
    title: 'End of an API key of ${application.name}',
    sentence: `Somebody said when an API key of the subscription of ${subscription} ends.`,
  },
};

const apiWords = (what: string, title: string, description: string): Words => ({
  label: `API ${what}`,
  description,
  title,
  sentence: `The API ${api} was ${what} by \${owner.displayName}.`,
});

const lifecycleWords: Readonly<Record<string, Words>> = {
  API_STARTED: apiWords('started', '${api.name} started', 'An API was started.'),
  API_STOPPED: apiWords('stopped', '${api.name} stopped', 'An API was stopped.'),
  API_UPDATED: apiWords('updated', '${api.name} updated', 'The definition of an API was changed.'),
  API_DEPLOYED: apiWords('deployed', '${api.name} deployed', 'An API was deployed.'),
  API_DEPRECATED: apiWords('deprecated', '${api.name} deprecated', 'An API was deprecated.'),
};

const reviewWords: Readonly<Record<string, Words>> = {
  ASK_FOR_REVIEW: {
    label: 'Review asked for',
    description: 'Somebody asked for a review of an API.',
    title: 'Review of ${api.name} asked for',
    sentence: '${owner.displayName} asks for a review of the API ' + api + '.',
  },
  REVIEW_OK: {
    label: 'Review accepted',
    description: 'An API that was in review was accepted.',
    title: 'Review of ${api.name} accepted',
    sentence: `The API ${api} was accepted by \${owner.displayName}.`,
  },
  REQUEST_FOR_CHANGES: {
    label: 'Changes asked for',
    description: 'Changes of an API that was in review were asked for.',
    title: 'Changes of ${api.name} asked for',
    sentence: '${owner.displayName} asks for changes of the API ' + api + '.',
  },
};

const userWords: Readonly<Record<string, Words>> = {
  USER_REGISTRATION_REQUEST: {
    label: 'Registration to approve',
    description: 'Somebody has registered and waits for approval.',
    title: 'The registration of ${user.displayName} waits',
    sentence:
      '${user.displayName} (${user.email}) has registered and waits until somebody accepts or rejects it.',
  },
  USER_REGISTERED: {
    label: 'User registered',
    description: 'Somebody has registered and may come in.',
    title: '${user.displayName} has registered',
    sentence: '${user.displayName} (${user.email}) has registered and may come in.',
  },
  USER_CREATED: {
    label: 'User created',
    description: 'A user was created.',
    title: 'User ${user.displayName} created',
    sentence: '${owner.displayName} has created the user ${user.displayName}.',
  },
  PASSWORD_RESET: {
    label: 'Password reset',
    description: 'A user was given a new password.',
    title: 'Password of ${user.displayName} reset',
    sentence: '${owner.displayName} has reset the password of ${user.displayName}.',
  },
};

const of = (scope: HookScope, category: Hook['category'], words: Readonly<Record<string, Words>>) =>
  Object.entries(words).map(([id, each]): Hook => ({ id, scope, category, ...each }));

/** All that people can be told of. */
export const hooks: readonly Hook[] = [
  ...of('API', 'API KEY', { ...keyWords, ...endingKeyWords }),
  ...of('API', 'SUBSCRIPTION', subscriptionWords),
  ...of('API', 'LIFECYCLE', lifecycleWords),
  ...of('API', 'REVIEW', reviewWords),
  ...of('APPLICATION', 'API KEY', endingKeyWords),
  ...of('APPLICATION', 'SUBSCRIPTION', subscriptionWords),
  ...of('PORTAL', 'USER', userWords),
];

const byKey = new Map(hooks.map((hook) => [keyOf(hook), hook]));

/** Names a hook where those of all scopes stand together, e.g. `API.API_STARTED`. */
export function keyOf({ scope, id }: Pick<Hook, 'scope' | 'id'>): string {
  return `${scope}.${id}`;
}

/** The hook of such a name. */
export const hookOf = (key: string): Hook | undefined => byKey.get(key);

/** The mail that tells of it. */
export const letterOf = ({ label, description, title, sentence }: Hook): Letter => ({
  name: label,
  description,
  given: hookGiven,
  title,
  content: `<p>${sentence}</p>\n`,
});
