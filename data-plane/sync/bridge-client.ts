import { hostname } from 'node:os';
import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { describeStranger } from '../../proto/process/stranger.ts';
import type { Log } from '../../proto/process/log.ts';
import { refusalOf, type Outbound, type OutboundResponse } from '../../proto/process/outbound/outbound.ts';
import { createGathered } from '../../proto/wire/gathered.ts';
import { createCredential, CredentialRefusal, type BridgeAnswer } from '../../proto/trust/credential.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import type { TicketStore } from '../../proto/trust/seat-file.ts';

/** A request as this gateway, path relative to the bridge. */
export interface BridgeRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
  readonly bodyBytesMax?: number;
  /** Ends this request before the client ends all of them. */
  readonly signal?: AbortSignal;
}

/** The bridge refused: what it said, and when it wants to hear from us again. */
export class BridgeRefusal extends Error {
  override readonly name = 'BridgeRefusal';
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    said: { readonly code: string; readonly reason: string; readonly retryAfterMs?: number | undefined },
  ) {
    super(`${said.code}: ${said.reason}`);
    this.status = status;
    this.code = said.code;
    this.retryAfterMs = said.retryAfterMs;
  }
}

/** Speaks to one bridge as one gateway. */
export interface BridgeClient {
  /** The bridge's, as it is dialled. */
  readonly url: string;
  /** Rejects with a BridgeRefusal for any answer from 400 on, and with outbound.* when there is none. */
  request(path: string, request: BridgeRequest): Promise<OutboundResponse>;
  webSocket(path: string, maxPayloadBytes: number): ReturnType<Outbound['webSocket']>;
}

const refusalSchema = z.object({
  code: z.string().max(256),
  reason: z.string().max(4_096),
  retryAfterMs: z.number().optional(),
});
const handshakeMs = 10_000;
const credentialMs = 20_000;
/** The most of an answer that says why not, or gives a seat. */
const talkBytesMax = 64 * 1024;

/** What a client is made of. */
export interface BridgeClientOptions {
  readonly outbound: Outbound;
  readonly bridgeUrl: string;
  readonly identity: EnrolledIdentity;
  readonly instance: string;
  readonly tickets: TicketStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Makes the client; every request carries a proof of its own, signed over a nonce of the bridge. */
export function createBridgeClient(options: BridgeClientOptions): BridgeClient {
  const { outbound, bridgeUrl, identity, instance, tickets, clock, log, signal } = options;
  const urlOf = (path: string): string => new URL(`bridge/v1/${path}`, withSlash(bridgeUrl)).href;
  const credential = createCredential({
    identity,
    bridgeUrl,
    role: 'gateway',
    instance,
    hostname: hostname().slice(0, 256),
    tickets,
    monotonicMs: () => clock.monotonicMs(),
    onUnwritable: (error) =>
      log.error({ err: error }, 'the seat file cannot be written; a restart may be refused'),
    async call({ path, ...request }) {
      const bounds = { timeoutMs: credentialMs, bodyBytesMax: talkBytesMax, signal };
      const answer = await outbound.request(urlOf(path), { ...request, ...bounds });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
  });
  const proof = async (): Promise<string> => {
    try {
      return await credential.authorization();
    } catch (error) {
      throw error instanceof CredentialRefusal ? refusedWith(error.answer) : error;
    }
  };
  /** A nonce may have been used up on the way: once more, with the one that the refusal brought. */
  const twice = async <T>(call: () => Promise<T | Refused>): Promise<T> => {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await call();
      if (!isRefusal(answer)) return answer;
      if (!credential.heard(answer) || attempt > 0) throw refusedWith(answer);
    }
  };

  return {
    url: bridgeUrl,
    request: (path, { headers = {}, signal: own, ...rest }) =>
      twice(async () => {
        const answer = await outbound.request(urlOf(path), {
          ...rest,
          headers: { ...headers, authorization: await proof() },
          signal: own === undefined ? signal : AbortSignal.any([signal, own]),
        });
        if (answer.status < 400) credential.heard(answer);
        return answer.status < 400 ? answer : toRefusal(answer, await textUpTo(answer.stream, talkBytesMax));
      }),
    webSocket(path, maxPayloadBytes) {
      // Each stream begins with a claim, so that two copies of one running machine cannot go on side by side.
      credential.renew();
      return twice(async () => {
        const headers = { authorization: await proof() };
        try {
          return await outbound.webSocket(urlOf(path), { headers, handshakeMs, maxPayloadBytes, signal });
        } catch (error) {
          const refusal = refusalOf(error);
          if (refusal === undefined) throw error;
          return toRefusal(refusal, refusal.body);
        }
      });
    },
  };
}

function refusedWith(answer: BridgeAnswer & { readonly text: string }): BridgeRefusal {
  const said = parseRefusal(answer.text);
  const reason = `${describeStranger(answer)}: not the bridge's answer`;
  return new BridgeRefusal(answer.status, said ?? { code: 'sync.foreign_answer', reason });
}

interface Refused extends BridgeAnswer {
  readonly isRefused: true;
  readonly text: string;
}

const toRefusal = ({ status, headers }: BridgeAnswer, text: string): Refused => ({
  isRefused: true,
  status,
  headers,
  text,
});

function isRefusal(answer: unknown): answer is Refused {
  return typeof answer === 'object' && answer !== null && 'isRefused' in answer;
}

/** The beginning of a text; what says why not needs no more. */
async function textUpTo(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const gathered = createGathered();
  for await (const part of stream) {
    gathered.add(part);
    if (gathered.length >= bytesMax) break;
  }
  return gathered.take(bytesMax).toString();
}

function parseRefusal(text: string): z.infer<typeof refusalSchema> | undefined {
  try {
    return refusalSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** So that a bridge behind a path prefix keeps it. */
export function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

/** What to tell a human about a failure to connect. */
export function describeFailure(error: unknown): string {
  if (error instanceof Fault) return `${error.code}: ${error.internal ?? error.detail}`;
  return error instanceof Error ? error.message : String(error);
}
