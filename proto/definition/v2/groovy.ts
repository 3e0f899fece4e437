import type { Place } from './place.ts';

/** The script for what a phase does with a head, and the one for its body. */
const scripts = {
  REQUEST: ['onRequestScript', 'onRequestContentScript'],
  RESPONSE: ['onResponseScript', 'onResponseContentScript'],
} as const;

/** Names of all scripts of a groovy step of version 2. */
const groovyScripts: readonly string[] = [...scripts.REQUEST, ...scripts.RESPONSE];

/** Which of its scripts a groovy step holds. */
export function groovyScriptsIn(configuration: unknown): readonly string[] {
  if (typeof configuration !== 'object' || configuration === null) return [];
  const texts = new Map<string, unknown>(Object.entries(configuration));
  return groovyScripts.filter((name) => {
    const text = texts.get(name);
    return typeof text === 'string' && text.trim() !== '';
  });
}

/**
 * The configuration of a groovy step in words of version 4, which knows one script per step. One with several, or with none for its phase,
 * has no such form and stays as it is.
 */
export function groovyOf(configuration: Place, phase: keyof typeof scripts): Place {
  const { value } = configuration;
  const [name, ...others] = groovyScriptsIn(value);
  if (name === undefined || others.length > 0 || !scripts[phase].some((each) => each === name))
    return configuration;
  const script: unknown = new Map<string, unknown>(Object.entries(Object(value) as object)).get(name);
  const isOfBody = name === scripts[phase][1];
  return configuration.as({ script, readContent: isOfBody, overrideContent: isOfBody });
}
