import { patternOf } from '../../../proto/expression/patterns.ts';
import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { setMetric } from '../custom-metrics.ts';
import { CONTINUE, type PolicyCall, type PolicyFactory, type PolicyTools, type Verdict } from '../policy.ts';
import { ModelCall } from './model-call.ts';
import { fieldOf, type Prompt, promptsOf, readBody } from './prompts.ts';

type Config = PolicyConfig<'ai-prompt-guard-rails'>;

/** Characters of a prompt times instructions of the patterns, and times words: the longest that one request may keep others waiting. */
const workMax = 50_000_000;
/** What a record names of them. */
const labelsMax = 20;

/** The prompts of a request, or why they cannot be told. */
type Found =
  | { readonly kind: 'prompts'; readonly prompts: readonly string[] }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Refuses prompts, or tells of them. */
export const promptGuardRails: PolicyFactory<'ai-prompt-guard-rails'> = (config, tools) => {
  const rails = new GuardRails(config, tools);
  return { request: { needs: 'buffered', run: (call) => rails.run(call) } };
};

class GuardRails {
  readonly #config: Config;
  readonly #tools: PolicyTools<'ai-prompt-guard-rails'>;
  readonly #classifier: ModelCall | undefined;
  readonly #breaches: (prompts: readonly string[]) => readonly string[] | undefined;
  /** Labels that count; empty: all. */
  readonly #checks: ReadonlySet<string>;

  constructor(config: Config, tools: PolicyTools<'ai-prompt-guard-rails'>) {
    this.#config = config;
    this.#tools = tools;
    this.#classifier =
      config.classifier === undefined ? undefined : new ModelCall(config.classifier, tools.host);
    this.#breaches = createRules(config.rules);
    this.#checks = new Set(
      config.contentChecks
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== ''),
    );
  }

  run(call: PolicyCall): Verdict | Promise<Verdict> {
    const found = this.#promptsOf(call);
    if (found.kind === 'unreadable') return this.#unread(call, found.why);
    if (found.kind === 'failed') return this.#unchecked(call, found.why);
    const prompts = found.prompts.filter((text) => text !== '');
    if (prompts.length === 0) return CONTINUE;
    const breached = this.#breaches(prompts);
    if (breached === undefined) return this.#unread(call, 'it is longer than its rules may be asked about');
    if (breached.length > 0) return this.#violated(call, breached);
    if (this.#classifier === undefined) return CONTINUE;
    return this.#classify(call, this.#classifier, prompts.join('\n'));
  }

  async #classify(call: PolicyCall, classifier: ModelCall, prompt: string): Promise<Verdict> {
    const said = await classifier.ask(call, prompt);
    if (said.kind === 'gone') return this.#tools.refuse('UNEXPECTED_ERROR');
    const labels = said.kind === 'said' ? labelsOf(said.value) : undefined;
    if (labels === undefined)
      return this.#unchecked(
        call,
        `the classifier: ${said.kind === 'failed' ? said.why : 'its answer has no labels'}`,
      );
    const violated = labels.filter(
      ({ label, score }) =>
        score > this.#config.sensitivityThreshold && (this.#checks.size === 0 || this.#checks.has(label)),
    );
    return violated.length === 0
      ? CONTINUE
      : this.#violated(
          call,
          violated.map(({ label }) => label),
        );
  }

  #promptsOf(call: PolicyCall): Found {
    const { promptLocation } = this.#config;
    const isCustom = promptLocation.kind === 'varying' || promptLocation.value !== '';
    const { promptPreset = isCustom ? 'CUSTOM_PROMPT' : 'ALL_PROMPTS' } = this.#config;
    if (promptPreset === 'CUSTOM_PROMPT') {
      const rendered = promptLocation.render(call);
      if (rendered.kind === 'failed') return { kind: 'failed', why: `promptLocation: ${rendered.why}` };
      return { kind: 'prompts', prompts: rendered.kind === 'value' ? [rendered.value] : [] };
    }
    const { content, headers } = call.request;
    if (content === undefined || content.length === 0) return { kind: 'prompts', prompts: [] };
    const body = readBody(content, headers);
    if (body.kind === 'unreadable') return body;
    if (body.kind === 'text') return { kind: 'prompts', prompts: [body.text] };
    const chosen = chosenOf(promptsOf(body.value), promptPreset);
    return { kind: 'prompts', prompts: chosen.map(({ text }) => text) };
  }

  #violated(call: PolicyCall, labels: readonly string[]): Verdict {
    const isBlocked = this.#config.requestPolicy === 'BLOCK_REQUEST';
    const named = [...new Set(labels)].slice(0, labelsMax).join(', ');
    const action = isBlocked ? 'request-blocked' : 'request-logged';
    setMetric(call, 'keyword_content_violations', named);
    setMetric(call, 'keyword_action', action);
    call.warn('GUARD_RAIL_VIOLATION', `${action}: ${named}`);
    return isBlocked ? this.#tools.refuse('AI_PROMPT_GUARD_RAILS_BLOCKED') : CONTINUE;
  }

  #unread(call: PolicyCall, why: string): Verdict {
    call.warn('AI_PROMPT_GUARD_RAILS_UNREADABLE', `the body: ${why}`);
    return this.#config.requestPolicy === 'BLOCK_REQUEST'
      ? this.#tools.refuse('AI_PROMPT_GUARD_RAILS_UNREADABLE')
      : CONTINUE;
  }

  /** What cannot be judged is not let in where anything is kept out. */
  #unchecked(call: PolicyCall, why: string): Verdict {
    call.warn('UNEXPECTED_ERROR', why);
    return this.#config.requestPolicy === 'BLOCK_REQUEST' ? this.#tools.refuse('UNEXPECTED_ERROR') : CONTINUE;
  }
}

/** Texts without a role are of whoever sent them. */
function chosenOf(
  prompts: readonly Prompt[],
  preset: Exclude<Config['promptPreset'], 'CUSTOM_PROMPT' | undefined>,
): readonly Prompt[] {
  if (preset === 'ALL_PROMPTS') return prompts;
  const ofUsers = prompts.filter(({ role }) => role === undefined || role.toLowerCase() === 'user');
  return preset === 'ALL_USER_PROMPTS' ? ofUsers : ofUsers.slice(-1);
}

/** Says which rules prompts break; undefined where they are too long to be asked about. */
function createRules({
  words,
  patterns,
  promptCharsMax = Infinity,
}: Config['rules']): (prompts: readonly string[]) => readonly string[] | undefined {
  const compiled = patterns.map(({ name, regex, caseSensitive }) => ({
    name,
    pattern: patternOf(`(?${caseSensitive ? '' : 'i'}s)${regex}`),
  }));
  const instructions = compiled.reduce((sum, { pattern }) => sum + pattern.programSize(), 0);
  const charsMax = Math.floor(workMax / Math.max(1, instructions, words.length));
  const wanted = words.map((word) => plain(word).toLowerCase()).filter((word) => word !== '');
  return (prompts) => {
    const chars = prompts.reduce((sum, text) => sum + text.length, 0);
    if (chars > promptCharsMax) return ['length'];
    if (wanted.length === 0 && compiled.length === 0) return [];
    if (chars > charsMax) return undefined;
    const broken: string[] = [];
    for (const text of prompts) {
      const read = plain(text);
      const small = wanted.length === 0 ? '' : read.toLowerCase();
      if (wanted.some((word) => standsIn(small, word))) broken.push('word');
      for (const { name, pattern } of compiled)
        if (pattern.test(text) || (read !== text && pattern.test(read))) broken.push(name);
    }
    return broken;
  };
}

/** As it reads: without what is not seen, in plain letters, with single spaces. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{Mn}\0]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const letterOrDigit = /[\p{L}\p{N}]/u;

/** Whether it is there with no letter or digit beside it. */
function standsIn(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const before = Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? '';
    const [after = ''] = text.slice(at + word.length, at + word.length + 2);
    if (!letterOrDigit.test(before) && !letterOrDigit.test(after)) return true;
  }
  return false;
}

interface Label {
  readonly label: string;
  readonly score: number;
}

/** Labels of the shapes in which classifiers answer; undefined of another one. */
function labelsOf(said: unknown): readonly Label[] | undefined {
  const results = fieldOf(said, 'results');
  if (Array.isArray(results)) {
    const all = results.map((result) => scoresOf(fieldOf(result, 'category_scores')));
    return all.includes(undefined) ? undefined : all.flatMap((labels) => labels ?? []);
  }
  if (!Array.isArray(said)) return undefined;
  const flat = (said as readonly unknown[]).flat();
  const labels = flat.map((each) => ({ label: fieldOf(each, 'label'), score: fieldOf(each, 'score') }));
  return labels.every(
    (each): each is Label => typeof each.label === 'string' && typeof each.score === 'number',
  )
    ? labels
    : undefined;
}

function scoresOf(scores: unknown): readonly Label[] | undefined {
  if (typeof scores !== 'object' || scores === null) return undefined;
  const labels = Object.entries(scores).map(([label, score]) => ({ label, score: score as unknown }));
  return labels.every((each): each is Label => typeof each.score === 'number') ? labels : undefined;
}
