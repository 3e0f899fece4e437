import type { PolicyConfig } from '../../../proto/policies/catalog.ts';
import { keyOf } from '../cache/key.ts';
import type { PolicyCall } from '../policy.ts';
import { type Place, promptsOf, readBody, replaceText } from './prompts.ts';

type Config = Pick<PolicyConfig<'ai-semantic-caching'>, 'promptExpression' | 'parameters' | 'scope'>;

/** A request as it is looked for. */
export interface Asked {
  /** What may differ a little. */
  readonly prompt: string;
  /** A digest of what has to be equal. */
  readonly partition: string;
}

/** Headers by which answers of models differ. */
const negotiated = ['accept', 'accept-encoding', 'origin'];

/** Headers of the request that an answer may vary by and be kept all the same. */
export const isNegotiated = (lowerName: string): boolean => negotiated.includes(lowerName);

/** Takes a request apart; `why` where it cannot be told what it asks, undefined where it asks nothing. */
export function askedOf(call: PolicyCall, config: Config): Asked | { readonly why: string } | undefined {
  const { content, headers } = call.request;
  if (content === undefined || content.length === 0) return undefined;
  const body = readBody(content, headers);
  if (body.kind === 'unreadable') return { why: `the body: ${body.why}` };
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString();
  const value = body.kind === 'json' ? body.value : undefined;
  const own = ownPrompt(call, config);
  if (own !== undefined && typeof own !== 'string') return own;
  const found = own === undefined ? lastOfUser(value, text) : placed(value, text, own);
  if (found.prompt === '') return undefined;
  const parameters: [key: string, value: string][] = [];
  for (const { key, value: parameter } of config.parameters) {
    const rendered = parameter.render(call);
    if (rendered.kind === 'failed') return { why: `the parameter ${key}: ${rendered.why}` };
    parameters.push([key, rendered.kind === 'value' ? rendered.value : '']);
  }
  return { prompt: found.prompt, partition: partitionOf(call, config, [found.rest, parameters]) };
}

/** What promptExpression gives; undefined where there is none. */
function ownPrompt(
  call: PolicyCall,
  { promptExpression }: Config,
): string | { readonly why: string } | undefined {
  if (promptExpression.kind === 'constant' && promptExpression.value === '') return undefined;
  const rendered = promptExpression.render(call);
  if (rendered.kind === 'failed') return { why: `promptExpression: ${rendered.why}` };
  return rendered.kind === 'value' ? rendered.value : '';
}

interface Found {
  readonly prompt: string;
  /** The body without it. */
  readonly rest: string;
}

/** The last text of the user, of a shape that is known; of what is no JSON all of it. value: of the caller's own, which is changed. */
function lastOfUser(value: unknown, text: string): Found {
  if (value === undefined) return { prompt: text, rest: '' };
  const last = promptsOf(value).findLast(({ role }) => role?.toLowerCase() === 'user');
  if (last === undefined) return { prompt: '', rest: '' };
  return { prompt: last.text, rest: without(value, last.place === undefined ? [] : [last.place]) };
}

/** A prompt that a definition has found by itself. */
function placed(value: unknown, text: string, prompt: string): Found {
  if (prompt === text) return { prompt, rest: '' };
  if (value === undefined) return { prompt, rest: text };
  const places = promptsOf([value]).flatMap(({ text: each, place }) =>
    each === prompt && place !== undefined ? [place] : [],
  );
  return { prompt, rest: without(value, places) };
}

function without(value: unknown, places: readonly Place[]): string {
  for (const place of places) replaceText(place, '');
  return JSON.stringify([value, places.length]);
}

function partitionOf(call: PolicyCall, { scope }: Config, rest: readonly unknown[]): string {
  const { request, subscription, attributes } = call;
  // Callers without a subscription have nothing else by which they are told apart.
  const nobody = scope === 'API' || subscription !== undefined;
  const address = nobody ? null : (attributes.get('user-id') ?? request.remoteAddress);
  const lines = negotiated.map((name) => request.headers.getAll(name));
  return keyOf(call, { scope, own: JSON.stringify([address, lines, rest]) });
}
