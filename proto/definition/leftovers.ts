import type { FaultDetail } from '../faults/fault.ts';
import { conditionFault } from '../model/api/analytics.ts';
import { isEmpty, isJson, type Json, type Note } from './opened.ts';

/** A body without what consoles and hands leave in definitions of version 4, and what is to be said of it. */
export interface WithoutLeftovers {
  readonly body: Json;
  readonly notes: readonly Note[];
  readonly faults: readonly FaultDetail[];
}

/** What is said of a leftover: nothing when it is off or empty and can go; else why it may not be ignored. */
type Judge = (value: unknown, holder: Json) => Verdict | undefined;
type Verdict = { readonly doubt: string } | { readonly refused: string };
type Rules = ReadonlyMap<string, Judge>;

/**
 * Takes out of a body what the reference leaves in its definitions or reads over: fields of version 2, of other places, spelled otherwise.
 *
 * What asks for nothing goes without a word, what the reference ignores is noted, and what would change how the API behaves if it were
 * obeyed is refused with what to write instead. Places are those of the body.
 */
export function withoutLeftovers(body: Json): WithoutLeftovers {
  const sweeper = new Sweeper();
  return { body: sweeper.api(body), notes: sweeper.notes, faults: sweeper.faults };
}

/** Choices of logging with all that can be chosen. */
const inFull = {
  mode: 'mode: { entrypoint: true }',
  phase: 'phase: { request: true, response: true }',
} as const;

type Change = (item: Json, at: string) => Json;

class Sweeper {
  readonly notes: Note[] = [];
  readonly faults: FaultDetail[] = [];

  api(body: Json): Json {
    const flow: Change = (item, at) => this.#flow(item, at);
    const rootless = this.#strip(body, '', ofRoot);
    const swept = inside(rootless, '', {
      listeners: (item, at) =>
        inside(this.#strip(item, at, elsewhere), at, {
          entrypoints: (one, place) => this.#strip(one, place, elsewhere),
        }),
      endpointGroups: (item, at) => this.#group(item, at),
      flows: flow,
      plans: (item, at) => inside(this.#strip(item, at, elsewhere), at, { flows: flow }),
    });
    const { responseTemplates, analytics } = swept;
    if (isJson(analytics) && isJson(analytics['logging']) && analytics['enabled'] !== false)
      this.#logging(analytics['logging']);
    return isJson(responseTemplates)
      ? { ...swept, responseTemplates: this.#templates(responseTemplates) }
      : swept;
  }

  #flow(item: Json, at: string): Json {
    const step: Change = (one, place) => this.#strip(one, place, ofSteps);
    return inside(this.#strip(item, at, ofFlows), at, {
      selectors: (selector, place) =>
        isWord(selector['type'], 'CONDITION') ? this.#strip(selector, place, ofConditions) : selector,
      request: step,
      response: step,
    });
  }

  #group(item: Json, at: string): Json {
    return inside(this.#shared(this.#strip(item, at, ofGroups), at, 'sharedConfiguration'), at, {
      endpoints: (endpoint, place) =>
        this.#shared(this.#strip(endpoint, place, elsewhere), place, 'sharedConfigurationOverride'),
    });
  }

  #shared(holder: Json, at: string, name: string): Json {
    const configuration = fromJsonText(holder[name]);
    if (!isJson(configuration) || !isJson(configuration['ssl'])) return holder;
    const ssl = this.#strip(configuration['ssl'], `${at}.${name}.ssl`, ofSsl);
    return ssl === configuration['ssl'] ? holder : { ...holder, [name]: { ...configuration, ssl } };
  }

  /** Logging that asks for something and selects nothing; where both choices are made and one is off, that is meant. */
  #logging(logging: Json): void {
    const choices = ['mode', 'phase'] as const;
    const isMade = (name: string): boolean => isJson(logging[name]) && Object.keys(logging[name]).length > 0;
    const missing = choices.filter((name) => logging[name] === undefined || !isMade(name));
    if (missing.length === 0 || isEmpty(logging)) return;
    if (choices.some((name) => isMade(name) && isEmpty(logging[name]))) return;
    const { condition } = logging;
    const fault = typeof condition === 'string' ? conditionFault(condition) : undefined;
    if (fault !== undefined) this.#say('analytics.logging.condition', { refused: fault });
    this.#say('analytics.logging', {
      doubt: `logs nothing without ${missing.join(' and ')}; write ${missing.map((name) => inFull[name]).join(' and ')}`,
    });
  }

  #templates(templates: Json): Json {
    return Object.fromEntries(
      Object.entries(templates).map(([key, item]) => [
        key,
        isJson(item) ? this.#strip(item, `responseTemplates.${key}`, ofTemplates) : item,
      ]),
    );
  }

  #strip(holder: Json, at: string, rules: Rules): Json {
    if (!Object.keys(holder).some((key) => rules.has(key))) return holder;
    const kept = Object.entries(holder).filter(([key, value]) => {
      const judge = rules.get(key);
      if (judge === undefined) return true;
      this.#say(pathTo(at, key), judge(value, holder));
      return false;
    });
    return Object.fromEntries(kept);
  }

  #say(path: string, verdict: Verdict | undefined): void {
    if (verdict === undefined) return;
    if ('doubt' in verdict) this.notes.push({ path, kind: 'doubt', message: verdict.doubt });
    else this.faults.push({ path, message: verdict.refused });
  }
}

/** A holder with the items of some of its lists changed, each in its place. */
function inside(holder: Json, at: string, changes: Readonly<Record<string, Change>>): Json {
  const changed = Object.entries(changes).flatMap(([key, change]) => {
    const list = holder[key];
    if (!Array.isArray(list)) return [];
    const items = list.map((item: unknown, index) =>
      isJson(item) ? change(item, `${pathTo(at, key)}[${index}]`) : item,
    );
    return [[key, items] as const];
  });
  return { ...holder, ...Object.fromEntries(changed) };
}

const pathTo = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`);

const isWord = (value: unknown, word: string): boolean =>
  typeof value === 'string' && value.toUpperCase() === word;

/** Configurations come as JSON text too. */
function fromJsonText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

const misplaced: Judge = () => ({
  doubt: 'has no effect here: analytics are switched at the root of the API, analytics: { enabled: false }',
});
const elsewhere: Rules = new Map([['analytics', misplaced]]);

const ofRoot: Rules = new Map<string, Judge>([
  ['analytics.enabled', () => ({ doubt: 'has no effect as one key; write analytics: { enabled: false }' })],
]);

/** The reference looks templates up by content type, so it never finds this one. */
const ofTemplates: Rules = new Map<string, Judge>([
  ['*.*', () => ({ doubt: 'is never used: it is no content type; */* stands for all of them' })],
]);

const ofVersion2 =
  (instead: string): Judge =>
  (value) =>
    isEmpty(value) ? undefined : { doubt: `is of version 2 and has no effect; version 4 has ${instead}` };

const ofGroups: Rules = new Map<string, Judge>([
  ['analytics', misplaced],
  ['http', ofVersion2('sharedConfiguration.http')],
  ['ssl', ofVersion2('sharedConfiguration.ssl')],
  ['headers', ofVersion2('sharedConfiguration.headers')],
]);

const ofSteps: Rules = new Map<string, Judge>([
  ['analytics', misplaced],
  [
    'async',
    (value) =>
      value === false ? undefined : { refused: 'is no field of a step; allowed: false, or nothing' },
  ],
]);

/** The path of a flow in version 2; the selector is what counts, so it may not say something else. */
const pathOperator: Judge = (value, flow) => {
  const { path = '', operator = 'STARTS_WITH' } = isJson(value) ? value : {};
  const selectors: readonly unknown[] = Array.isArray(flow['selectors']) ? flow['selectors'] : [];
  const http = selectors.filter(isJson).find(({ type }) => isWord(type, 'HTTP')) ?? {};
  const isSame =
    pathOf(path) === pathOf(http['path']) && operatorOf(operator) === operatorOf(http['pathOperator']);
  return flow['enabled'] === false || isSame
    ? undefined
    : {
        refused: `is of version 2 and chooses nothing here; write selectors: [{ type: HTTP, path: ${pathOf(path)}, pathOperator: ${operatorOf(operator)} }]`,
      };
};

const pathOf = (path: unknown): string => (typeof path === 'string' && path !== '' ? path : '/');
const operatorOf = (operator: unknown): string => (isWord(operator, 'EQUALS') ? 'EQUALS' : 'STARTS_WITH');

const ofFlows: Rules = new Map<string, Judge>([
  ['analytics', misplaced],
  ['path-operator', pathOperator],
]);

const ofHttp: Judge = (value) =>
  isEmpty(value)
    ? undefined
    : { refused: 'belongs to an HTTP selector; write a second selector, { type: HTTP, ... }' };
const ofConditions: Rules = new Map<string, Judge>([
  ['methods', ofHttp],
  ['path', (value, holder) => (value === '/' ? undefined : ofHttp(value, holder))],
  ['pathOperator', () => undefined],
]);

const store =
  (name: string): Judge =>
  (value) =>
    isEmpty(value) || (isJson(value) && isEmpty(value['type']))
      ? undefined
      : { refused: `is not read under this name; write ${name}` };
const ofSsl: Rules = new Map<string, Judge>([
  ['truststore', store('trustStore')],
  ['keystore', store('keyStore')],
  [
    'hostNameVerifier',
    (value, ssl) =>
      value === true || ssl['hostnameVerifier'] !== undefined
        ? undefined
        : { refused: 'is not read under this name; write hostnameVerifier' },
  ],
]);
