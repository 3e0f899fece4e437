import type { ScriptFacts } from '../facts.ts';
import type { Dialect } from '../script.ts';
import { createBase64 } from './base64.ts';
import { createGround } from './ground.ts';
import { wordOf } from './maps.ts';
import { javascriptNames, jsNames } from './names.ts';

/** In which words, and where chance begins: 16 bytes. */
export interface BindingHow {
  readonly dialect: Dialect;
  readonly seed: readonly number[];
}

/** How a script ends a request. */
export function createResult(isJs: boolean) {
  const made: Record<'state' | 'code' | 'error' | 'key' | 'contentType', unknown> = {
    state: 'SUCCESS',
    code: 500,
    error: null,
    key: null,
    contentType: null,
  };
  if (!isJs) return { made, face: made };
  const face = Object.freeze({
    fail(...said: readonly unknown[]): void {
      const [code, error, key = null, contentType = null] = said;
      Object.assign(made, { state: 'FAILURE', code, error, key, contentType });
    },
    setState: (state: unknown) => void (made.state = state),
    setCode: (code: unknown) => void (made.code = code),
    setError: (error: unknown) => void (made.error = error),
    setKey: (key: unknown) => void (made.key = key),
    setContentType: (contentType: unknown) => void (made.contentType = contentType),
  });
  return { made, face };
}

/** Numbers of chance (sfc32): the engine's own would be the same in every run, since each begins with the same memory. */
export function createRandom(bytes: readonly number[]): () => number {
  const word = (at: number): number => bytes.slice(at, at + 4).reduce((sum, byte) => (sum << 8) | byte, 0);
  let [a, b, c, d] = [word(0), word(4), word(8), word(12)];
  const next = (): number => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let n = 0; n < 12; n += 1) next();
  return () => (next() * 2_097_152 + (next() >>> 11)) / 9_007_199_254_740_992;
}

/** Puts the objects of a dialect into the world of the script; what it returns tells what the script has done. */
export function bind(json: string, source: string, how: string) {
  const { dialect, seed } = JSON.parse(how) as BindingHow;
  Math.random = createRandom(seed);
  const facts = JSON.parse(json) as ScriptFacts;
  const isJs = dialect === 'js';
  const ground = createGround(facts, source);
  const { made, face } = createResult(isJs);
  const lines: [string, string][] = [];
  const names = isJs ? jsNames(facts, ground) : javascriptNames(facts, ground);
  const print =
    (level: string) =>
    (...parts: unknown[]) => {
      if (lines.length < 100) lines.push([level, parts.map(String).join(' ').slice(0, 2_000)]);
    };
  const base64 = createBase64();
  const given: readonly (readonly [string, unknown])[] = [
    ...names,
    ['result', face],
    ['State', Object.freeze({ SUCCESS: 'SUCCESS', FAILURE: 'FAILURE' })],
    ['Base64', Object.freeze(base64)],
    ['btoa', base64.encode],
    ['atob', base64.decode],
    [
      'console',
      Object.freeze({ log: print('info'), info: print('info'), warn: print('info'), error: print('error') }),
    ],
    ['print', () => undefined],
  ];
  for (const [name, value] of given)
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  const text = (value: unknown): string | null =>
    value === null || value === undefined ? null : wordOf(value);
  return (kind: 'value' | 'thrown', value: unknown): string => {
    if (kind === 'thrown') {
      const { message, stack } = Object(value) as { readonly message?: unknown; readonly stack?: unknown };
      const line = /script:(\d+)/.exec(String(stack))?.[1];
      return JSON.stringify(
        `${String(message ?? value)}${line === undefined ? '' : ` (line ${line})`}`.slice(0, 500),
      );
    }
    const { said, requestHeaders, responseHeaders, attributeChanges, query } = ground;
    if (!isJs && facts.overrides) said.content = text(value) ?? '';
    const failure =
      made.state === 'FAILURE'
        ? {
            code: Number(made.code),
            error: text(made.error) ?? '',
            key: text(made.key),
            contentType: text(made.contentType),
          }
        : null;
    return JSON.stringify({
      failure,
      requestHeaders,
      responseHeaders,
      attributes: attributeChanges,
      status: said.status === null ? null : Number(said.status),
      reason: text(said.reason),
      query: query(),
      content: text(said.content),
      console: lines,
    });
  };
}
