import type { ScriptText } from '../../../proto/policies/scripts/script-text.ts';
import type { Dialect, ScriptOutcome } from '../../script/script.ts';
import {
  type AnsweredCall,
  CONTINUE,
  type ContentHook,
  type PolicyCall,
  type PolicyHost,
  type PolicyOf,
  type Rejection,
  type Verdict,
} from '../policy.ts';
import { applyEffects } from './effects.ts';
import { factsOf } from './script-facts.ts';

/** One script of a step. */
export interface ScriptPart {
  readonly script: ScriptText;
  readonly readsContent: boolean;
  readonly overrides: boolean;
}

/** What tells the two policies apart. */
export interface ScriptStep {
  readonly dialect: Dialect;
  readonly host: PolicyHost;
  readonly phase: 'request' | 'response';
  readonly broken: Rejection;
  readonly ended: Rejection;
  readonly busy: Rejection;
}

/** A policy that runs its scripts one after another, each on what the one before has left. */
export function createScriptStep(parts: readonly ScriptPart[], step: ScriptStep): PolicyOf<undefined> {
  let letGo: (() => void) | undefined;
  const hook: ContentHook<PolicyCall, undefined> = {
    needs: parts.some(({ readsContent }) => readsContent) ? 'buffered' : 'head',
    concerns: (call) => !isEventStream(call),
    async run(call) {
      for (const part of parts) {
        const verdict = await runPart(call, part, step);
        if (verdict !== CONTINUE) return verdict;
      }
      return CONTINUE;
    },
  };
  return {
    start: () => void (letGo = step.host.scripts.hold()),
    release: () => letGo?.(),
    ...(step.phase === 'request' ? { request: hook } : { response: hook }),
  };
}

/** Nobody waits for the end of an answer that streams; a request never does. */
function isEventStream(call: PolicyCall | AnsweredCall): boolean {
  return call.response?.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}

async function runPart(call: PolicyCall, part: ScriptPart, step: ScriptStep): Promise<Verdict> {
  const { dialect, host, phase, broken } = step;
  const place = phase === 'request' ? call.request : call.response;
  const encoding = place?.headers.get('content-encoding') ?? 'identity';
  const isPacked = encoding !== 'identity' && place?.content !== undefined && place.content.length > 0;
  if (part.readsContent && isPacked) {
    call.warn(broken.key, `the script reads a body of Content-Encoding ${encoding}`);
    return broken;
  }
  const facts = JSON.stringify(factsOf(call, part, step));
  const run = { dialect, source: part.script.source(), facts };
  return verdictOf(call, await host.scripts.run(run, call.over), step);
}

function verdictOf(call: PolicyCall, outcome: ScriptOutcome, step: ScriptStep): Verdict {
  switch (outcome.kind) {
    case 'done':
      return applyEffects(call, outcome.effects, step);
    case 'failed':
      call.warn(step.broken.key, outcome.why);
      return step.broken;
    case 'timeout':
      call.warn(step.broken.key, 'the script has run out of its time (policy.js.timeoutMs)');
      return { ...step.broken, message: 'Timeout' };
    case 'gone':
      return step.busy;
    case 'busy':
      call.warn(step.busy.key, outcome.why);
      return step.busy;
  }
}
