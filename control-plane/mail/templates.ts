import { compileGiven } from '../../proto/freemarker/template.ts';
import { type Hook, hookGiven, hooks, letterOf } from './hooks.ts';
import { type Facts, type Letter, letters } from './letters.ts';
import { attempt } from './written.ts';

/** Names what is said: of which hook or mail, and by what. */
export interface TemplateKey {
  /** That of a hook; TEMPLATES_FOR_ACTION of a mail that somebody waits for. */
  readonly scope: string;
  readonly hook: string;
  /** EMAIL is HTML; PORTAL, what stands in the console, is text. */
  readonly type: 'EMAIL' | 'PORTAL';
}

/** What is said where nobody has written something else. */
export type Template = TemplateKey & Letter;

const actions = 'TEMPLATES_FOR_ACTION';

const ofHook = (hook: Hook): readonly Template[] => {
  const { scope, id, label: name, description, title, sentence } = hook;
  const of = { scope, hook: id };
  return [
    { ...of, type: 'EMAIL', ...letterOf(hook) },
    { ...of, type: 'PORTAL', name, description, given: hookGiven, title, content: sentence },
  ];
};

/** All that can be said, with our own words. */
export const templates: readonly Template[] = [
  ...hooks.flatMap(ofHook),
  ...Object.entries(letters).map(([hook, letter]): Template => ({
    scope: actions,
    hook,
    type: 'EMAIL',
    ...letter,
  })),
];

/** A key as it stands in a row. */
type KeyTexts = Readonly<Record<keyof TemplateKey, string>>;

/** A key as one text. */
export const nameOf = ({ scope, hook, type }: KeyTexts): string => `${scope}.${hook}.${type}`;
const byName = new Map(templates.map((template) => [nameOf(template), template]));

/** The one of a key. */
export const templateOf = (key: KeyTexts): Template | undefined => byName.get(nameOf(key));

/** The key of a mail in the queue: of a hook `scope.id`, of another mail its name. */
export function keyOfMail(name: string): TemplateKey {
  const dot = name.indexOf('.');
  return dot < 0
    ? { scope: actions, hook: name, type: 'EMAIL' }
    : { scope: name.slice(0, dot), hook: name.slice(dot + 1), type: 'EMAIL' };
}

/** What a template may be, in characters. */
export const templateCharsMax = { title: 512, content: 32_768 } as const;

/**
 * Says what is wrong with somebody's words in place of ours: what cannot be read, with line and character; and what fails when it is written,
 * with facts and with empty ones.
 *
 * Shape: e.g. [{ path: 'content', message: 'line 2, character 5: ...' }].
 */
export function faultsOf(
  template: Template,
  { title, content }: Pick<Letter, 'title' | 'content'>,
): readonly { readonly path: string; readonly message: string }[] {
  const { given: shape, type } = template;
  const unread = (
    [
      ['title', title, 'text'],
      ['content', content, type === 'EMAIL' ? 'html' : 'text'],
    ] as const
  ).flatMap(([path, text, output]) => {
    const read = compileGiven(text, { shape, output });
    return 'kind' in read ? [{ path, message: read.message }] : [];
  });
  if (unread.length > 0) return unread;
  for (const isEmpty of [false, true]) {
    const made = attempt({ ...template, title, content }, sampleFacts(template, isEmpty), 0);
    if (made.kind === 'failed') return [{ path: made.part, message: `it fails: ${made.why}` }];
    const lacked = links.find(
      (name) =>
        !isEmpty && Object.hasOwn(shape, name) && !made.value.text.includes(samples.get(name) ?? name),
    );
    if (lacked !== undefined)
      return [{ path: 'content', message: `must say \${${lacked}}: whoever gets the mail waits for it` }];
  }
  return [];
}

/** Facts to look at a template with: each text says where it stands. */
export function sampleFacts({ given }: Pick<Template, 'given'>, isEmpty = false): Facts {
  const text = (name: string): string => (isEmpty ? '' : (samples.get(name) ?? name));
  return Object.fromEntries(
    Object.entries(given).map(([name, members]) => [
      name,
      members.length === 0
        ? text(name)
        : Object.fromEntries(members.map((member) => [member, text(`${name}.${member}`)])),
    ]),
  );
}

/** Without these a mail is good for nothing. */
const links = ['registrationUrl', 'resetPasswordUrl'];

const samples: ReadonlyMap<string, string> = new Map([
  ['user.displayName', 'Ada Lovelace'],
  ['user.email', 'ada@example.com'],
  ['owner.displayName', 'Grace Hopper'],
  ['inviter.displayName', 'Grace Hopper'],
  ['api.name', 'Orders'],
  ['api.version', '1.0'],
  ['application.name', 'Shop'],
  ['plan.name', 'Gold'],
  ['plan.security', 'API_KEY'],
  ['subscription.status', 'ACCEPTED'],
  ['subscription.reason', 'because'],
  ['registrationUrl', 'https://manage.example.com/console/new-password#DEFAULT/sample'],
  ['resetPasswordUrl', 'https://manage.example.com/console/new-password#DEFAULT/sample'],
  ['signInUrl', 'https://manage.example.com/console/sign-in'],
  ['registrationStatus', 'ACCEPTED'],
]);
