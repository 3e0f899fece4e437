import { z } from 'zod';
import { Fault } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { refusalOf, type Outbound, type OutboundResponse } from '../../proto/process/outbound.ts';
import { audienceOf, signAssertion } from '../../proto/trust/assertions.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';

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
  /** Rejects with a BridgeRefusal for any answer from 400 on, and with outbound.* when there is none. */
  request(path: string, request: BridgeRequest): Promise<OutboundResponse>;
  webSocket(path: string, maxPayloadBytes: number): ReturnType<Outbound['webSocket']>;
  /** The bridge's clock minus ours, as last heard. */
  clockOffsetMs(): number;
  /** Takes a time that the bridge named. */
  heardTime(bridgeTimeMs: number): void;
}

const refusalSchema = z.object({
  code: z.string().max(256),
  reason: z.string().max(4_096),
  bridgeTimeMs: z.number().optional(),
  retryAfterMs: z.number().optional(),
});
const handshakeMs = 10_000;

/** Makes the client; every request carries a fresh assertion, signed by the bridge's clock once that is known. */
export function createBridgeClient(options: {
  readonly outbound: Outbound;
  readonly bridgeUrl: string;
  readonly identity: EnrolledIdentity;
  readonly instance: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): BridgeClient {
  const { outbound, bridgeUrl, identity, instance, clock, signal } = options;
  let offsetMs = 0;
  const heardTime = (bridgeTimeMs: number): void => {
    offsetMs = bridgeTimeMs - clock.now();
  };
  const urlOf = (path: string): string => new URL(`bridge/v1/${path}`, withSlash(bridgeUrl)).href;
  const authorization = async (): Promise<string> => {
    const nowMs = clock.now() + offsetMs;
    const key = identity.signing.privateKey;
    return `Bearer ${await signAssertion({ gateway: identity.gateway, instance, audience: audienceOf(bridgeUrl), nowMs, key })}`;
  };
  const refused = (status: number, text: string): BridgeRefusal => {
    const said = parseRefusal(text);
    if (said?.bridgeTimeMs !== undefined) heardTime(said.bridgeTimeMs);
    return new BridgeRefusal(
      status,
      said ?? { code: `http.${status}`, reason: 'the answer is not one of a bridge' },
    );
  };

  return {
    async request(path, { headers = {}, signal: own, ...rest }) {
      const answer = await outbound.request(urlOf(path), {
        ...rest,
        headers: { ...headers, authorization: await authorization() },
        signal: own === undefined ? signal : AbortSignal.any([signal, own]),
      });
      if (answer.status >= 400) throw refused(answer.status, await answer.text());
      return answer;
    },
    async webSocket(path, maxPayloadBytes) {
      try {
        const headers = { authorization: await authorization() };
        return await outbound.webSocket(urlOf(path), { headers, handshakeMs, maxPayloadBytes, signal });
      } catch (error) {
        const refusal = refusalOf(error);
        throw refusal === undefined ? error : refused(refusal.status, refusal.body);
      }
    },
    clockOffsetMs: () => offsetMs,
    heardTime,
  };
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
