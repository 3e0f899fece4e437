import { isJson, type Json } from '../opened.ts';
import { translateGroovy } from './translate.ts';

/** What became of a groovy step. */
export interface GroovyStep {
  /** Where it stands: `flows[0].request[1]`. */
  readonly path: string;
  /** The configuration of `js` in its place; undefined where it has none, and `message` says why. */
  readonly configuration: Json | undefined;
  readonly message: string;
}

/** Names of phases in definitions of both versions. */
const phases: ReadonlyMap<string, 'request' | 'response'> = new Map([
  ['request', 'request'],
  ['pre', 'request'],
  ['response', 'response'],
  ['post', 'response'],
]);
const scripts = [
  ['onRequestScript', 'request', false],
  ['onRequestContentScript', 'request', true],
  ['onResponseScript', 'response', false],
  ['onResponseContentScript', 'response', true],
] as const;

/** A document with the policy `js` in place of groovy, wherever that can be translated whole, and what became of each groovy step. */
export function withoutGroovy(document: unknown): {
  readonly document: unknown;
  readonly steps: readonly GroovyStep[];
} {
  const steps: GroovyStep[] = [];
  const walk = (value: unknown, path: string, phase: 'request' | 'response' | undefined): unknown => {
    if (Array.isArray(value)) return value.map((each, n) => walk(each, `${path}[${n}]`, phase));
    if (!isJson(value)) return value;
    if (value['policy'] === 'groovy' && phase !== undefined) {
      const step = stepOf(value, path, phase);
      steps.push(step);
      return step.configuration === undefined
        ? value
        : { ...value, policy: 'js', configuration: step.configuration };
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [
        key,
        walk(each, path === '' ? key : `${path}.${key}`, phases.get(key) ?? phase),
      ]),
    );
  };
  return { document: walk(document, '', undefined), steps };
}

function stepOf(step: Json, path: string, phase: 'request' | 'response'): GroovyStep {
  const refused = (message: string): GroovyStep => ({ path, configuration: undefined, message });
  const configuration = configurationOf(step['configuration']);
  if (configuration === undefined) return refused('has no configuration that can be read');
  const { script, readContent, overrideContent } = configuration;
  const own = scripts.filter(([name]) => isScript(configuration[name]));
  const wanted = own.filter(([, of]) => of === phase);
  if (isScript(script) ? own.length > 0 : own.length !== 1 || wanted.length !== 1)
    return refused('must hold one script, of its phase; write a step for each');
  const [name, , isOfBody] = wanted[0] ?? ['script', phase, false];
  const readsContent = isOfBody || readContent === true;
  const overrides = isOfBody || (readsContent && overrideContent === true);
  const text = String(isScript(script) ? script : configuration[name]);
  const made = translateGroovy({ text, phase, readsContent, overrides });
  if (made.kind === 'refused') {
    const { line, column, message } = made.fault;
    return refused(`${name}, line ${line}, column ${column}: ${message}; see docs/groovy.md`);
  }
  return {
    path,
    configuration: { script: made.script, readContent: readsContent, overrideContent: overrides },
    message: 'was written as JavaScript, for the policy js',
  };
}

const isScript = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** An object, or the JSON text of one, as version 2 may have it. */
function configurationOf(value: unknown): Json | undefined {
  if (isJson(value)) return value;
  if (typeof value !== 'string') return undefined;
  try {
    const read: unknown = JSON.parse(value);
    return isJson(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
