import type { Redactor } from '../../../proto/model/redaction.ts';
import { isSecretHeader } from '../../../proto/model/secrets/names.ts';
import { type ApplyRules, createBodyRules } from './body-rules.ts';
import type { LogFacts, LoggedBody, MaskRules } from './log-facts.ts';
import type { LogSettings } from './log-settings.ts';

/** What a line may show of a call. */
export interface Masks {
  uri(text: string): string;
  header(name: string, value: string, of: MaskRules['of']): string;
  text(text: string): string;
  body(body: LoggedBody, of: MaskRules['of']): string;
}

/** Masks what a call said: by names, and the values that it was let in by wherever they are repeated. */
export type MasksOf = (facts: LogFacts) => Masks;

const MASK = '***';
/** A shorter value is a word that may stand anywhere: masking it everywhere would tell it. */
const valueCharsMin = 8;
/** Values that are looked for; a cookie may hold any number. Of a call with more neither other headers nor bodies are shown. */
const valuesMax = 256;

/** Makes the masks of a gateway; the redactor knows where it looks for keys. */
export function createMasks({
  redactor,
  settings,
}: {
  readonly redactor: Redactor;
  readonly settings: Pick<LogSettings, 'secretHeaders' | 'bodyRules'>;
}): MasksOf {
  const always = new Set(settings.secretHeaders.map((name) => name.toLowerCase()));
  const rulesFor = createRuleBook(settings.bodyRules);
  return (facts) => {
    const isSecret = (name: string): boolean =>
      always.has(name) ||
      facts.secretHeaders.has(name) ||
      isSecretHeader(name) ||
      redactor.isSecret(name.startsWith('x-') ? name.slice(2) : name) ||
      redactor.isSecret(name);
    const values = valuesIn(facts, isSecret);
    const withoutValues = (text: string): string => {
      let shown = text;
      for (const value of values) if (shown.includes(value)) shown = shown.replaceAll(value, () => MASK);
      return shown;
    };
    const isTooMany = values.length > valuesMax;
    return {
      uri: (text) => withoutValues(redactor.uri(text)),
      text: (text) => withoutValues(redactor.text(text)),
      header(name, value, of) {
        const lowerName = name.toLowerCase();
        if (isTooMany || isSecret(lowerName)) return MASK;
        const ruled = facts.rules.find((rule) => rule.of === of && rule.headers.has(lowerName));
        return ruled?.headers.get(lowerName) ?? withoutValues(redactor.text(value));
      },
      body(body, of) {
        const text = textOf(body);
        if (text === undefined) return `[${body.total} bytes that are no text]`;
        // Rules first: what else is masked may leave no JSON.
        const ruled = rulesFor(facts.rules.filter((rule) => rule.of === of))(text, {
          isCut: body.cutBy !== undefined,
        });
        if (ruled === undefined || isTooMany) return `[${body.total} bytes that could not be masked]`;
        return withoutValues(redactor.body(ruled)) + cutNote(body);
      },
    };
  };
}

/** The rules of the gateway and of steps in one. Steps have theirs as long as their API is deployed, and few calls pass several steps. */
function createRuleBook(settings: LogSettings['bodyRules']): (rules: readonly MaskRules[]) => ApplyRules {
  const always = createBodyRules(settings);
  const ofOne = new WeakMap<MaskRules, ApplyRules>();
  return ([only, ...others]) => {
    if (only === undefined) return always;
    if (others.length > 0)
      return createBodyRules([...settings, ...[only, ...others].flatMap(({ bodies }) => bodies)]);
    let made = ofOne.get(only);
    if (made === undefined) ofOne.set(only, (made = createBodyRules([...settings, ...only.bodies])));
    return made;
  };
}

function cutNote({ bytes, total, cutBy }: LoggedBody): string {
  if (cutBy === undefined) return '';
  const why = cutBy === 'memory' ? ', the memory for logged bodies was full' : '';
  return ` [cut: ${bytes.length} of ${total} bytes${why}]`;
}

/** Undefined for what is no text in UTF-8: an image, what is compressed or packed. */
function textOf({ bytes }: LoggedBody): string | undefined {
  try {
    // As of a stream: the first bytes of a character at the end wait for the rest, which was cut or never came.
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = decoder.decode(bytes, { stream: true });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** What secret headers held: `Bearer x` and x, each of the cookies. A backend that repeats what it was sent repeats these as well. */
function valuesIn({ heads }: LogFacts, isSecret: (name: string) => boolean): readonly string[] {
  const values = new Set<string>();
  for (const head of heads)
    for (const [name, value] of head) {
      const lowerName = name.toLowerCase();
      if (!isSecret(lowerName)) continue;
      for (const part of partsOf(lowerName, value))
        if (part.length >= valueCharsMin && values.size <= valuesMax) values.add(part);
    }
  // One past the bound tells that there are more. The longest first: what is part of another goes with it.
  return [...values].toSorted((one, other) => other.length - one.length);
}

function partsOf(name: string, value: string): readonly string[] {
  if (name === 'cookie') return value.split(/;\s*/).map(cookieValue);
  if (name === 'set-cookie') return [cookieValue(value.split(';', 1)[0] ?? '')];
  return [value, value.slice(value.indexOf(' ') + 1)];
}

const cookieValue = (cookie: string): string => cookie.slice(cookie.indexOf('=') + 1);
