import { createRequest, createResponse } from './messages.ts';
import { mutate } from './mutations.ts';
import { Random } from '../kit/random.ts';
import { readResponse } from './strict-response.ts';

/** Who stands behind the gateway for a case. */
export const upstreamNames = ['checker', 'nginx', 'apache2', 'haproxy'] as const;
/** See {@link upstreamNames}. */
export type UpstreamName = (typeof upstreamNames)[number];

/** What a client sends over one connection, and how. */
export interface RequestCase {
  readonly kind: 'request';
  /** Whose case: the seed of the run and the number in it make the same bytes again. */
  readonly seed: number;
  readonly number: number;
  readonly input: Buffer;
  /** Places where the writing pauses for a turn of the event loop, ascending. */
  readonly cuts: readonly number[];
  /** wait: closes when nothing more comes. half-close: says at once that nothing more comes. reset: breaks off. */
  readonly ending: 'wait' | 'half-close' | 'reset';
  readonly upstream: UpstreamName;
  readonly mutations: readonly string[];
}

/** What a hostile upstream answers to one valid request, and how. */
export interface ResponseCase {
  readonly kind: 'response';
  readonly seed: number;
  readonly number: number;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly version: '1.0' | '1.1';
  readonly input: Buffer;
  readonly cuts: readonly number[];
  /** keep: stays silent after the bytes. fin: closes. reset: breaks off. */
  readonly ending: 'keep' | 'fin' | 'reset';
  readonly mutations: readonly string[];
}

/** Either of them. */
export type FuzzCase = RequestCase | ResponseCase;

/** The case of that number in the run of that seed, behind one of the upstreams that are there. */
export function createRequestCase(
  seed: number,
  number: number,
  upstreams: readonly UpstreamName[],
): RequestCase {
  const random = new Random(seed, number * 2);
  const mutations: string[] = [];
  let text = '';
  for (let count = random.chance(50) ? 1 : random.between(2, 4); count > 0; count -= 1) {
    const message = createRequest(random);
    if (random.chance(45)) {
      text += message;
      continue;
    }
    const mutated = mutate(random, 'request', { text: message, other: createRequest(random) });
    text += mutated.text;
    mutations.push(...mutated.names);
  }
  const ending = random.chance(84) ? 'wait' : random.chance(50) ? 'half-close' : 'reset';
  if (ending === 'reset' && random.chance(70)) text = text.slice(0, random.below(text.length + 1));
  const input = Buffer.from(text, 'latin1');
  const upstream = upstreams[random.below(upstreams.length)] ?? 'checker';
  return {
    kind: 'request',
    seed,
    number,
    input,
    cuts: createCuts(random, input.length),
    ending,
    upstream,
    mutations,
  };
}

/** The case of that number in the run of that seed. */
export function createResponseCase(seed: number, number: number): ResponseCase {
  const random = new Random(seed, number * 2 + 1);
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'HEAD'] as const);
  const version = random.chance(8) ? '1.0' : '1.1';
  const valid = createResponse(random, method);
  const mutated = random.chance(25)
    ? { text: valid.text, names: [] }
    : mutate(random, 'response', { text: valid.text, other: createResponse(random, 'GET').text });
  const input = Buffer.from(mutated.text, 'latin1');
  // A spoiled answer that stays open mostly costs a whole read timeout, so few do.
  const staysOpen = !valid.needsClose && random.chance(mutated.names.length === 0 ? 85 : 15);
  const ending = random.chance(8) ? 'reset' : staysOpen ? 'keep' : 'fin';
  // Bytes after a whole answer go with it: those that come later, on a connection that is used again by then, are taken for
  // the next answer by every client there is.
  const reading = readResponse(input, 0, { method, ending: 'fin', blankBeforeColon: 'removed' });
  const end = reading.kind === 'complete' ? reading.end : input.length;
  return {
    kind: 'response',
    seed,
    number,
    method,
    version,
    input,
    cuts: createCuts(random, input.length).filter((cut) => cut < end),
    ending,
    mutations: mutated.names,
  };
}

function createCuts(random: Random, length: number): readonly number[] {
  if (length < 2 || random.chance(55)) return [];
  // Byte by byte is what finds state lost between reads; long inputs would only cost time.
  if (length < 300 && random.chance(4)) return Array.from({ length: length - 1 }, (_, index) => index + 1);
  const cuts = new Set<number>();
  for (let count = random.between(1, 3); count > 0; count -= 1) cuts.add(random.between(1, length - 1));
  return [...cuts].toSorted((left, right) => left - right);
}
