import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import { bucketHashesOf, digestOf } from '../../../proto/trust/digest.ts';
import { isRecordEntitled } from '../../../proto/trust/entitlement.ts';
import { signAssertion } from '../../../proto/trust/assertions.ts';
import {
  decodeFrame,
  encodeFrame,
  type CloseFrame,
  type Frame,
  type HelloFrame,
} from '../../../proto/wire/frames.ts';
import { decodeHead, type SignedHead } from '../../../proto/wire/head.ts';
import type { GatewayReport, Grant, RecordHeader } from '../../../proto/wire/published.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import type { SeatRole } from '../../../proto/trust/seats.ts';
import type { MemoryGateway } from './memory-repository.ts';

/** What a gateway that serves nothing reports. */
export const emptyReport: GatewayReport = {
  instance: 'x',
  version: '1',
  hostname: 'h',
  startedAtMs: 1,
  policies: [],
  environments: [],
  counters: {},
};

/** What a test may say differently. */
export interface AssertionWish {
  readonly instance?: string;
  readonly audience?: string;
  readonly role?: SeatRole;
  readonly nonce?: string;
}

/** A fresh nonce of a bridge. */
export async function nonceOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/bridge/v1/nonce`);
  const nonce = answer.headers.get('x-isthmus-nonce');
  await answer.arrayBuffer();
  // A bridge that gives none is one that refuses everything; its refusal is what the test is about.
  return nonce ?? 'none';
}

/** Signs a nonce of the bridge; overrides make the bad ones. */
export async function assertionFor(
  gateway: MemoryGateway,
  url: string,
  wish: AssertionWish = {},
): Promise<string> {
  return signAssertion({
    gateway: gateway.identity.id,
    instance: wish.instance ?? 'instance-1',
    role: wish.role ?? 'gateway',
    audience: wish.audience ?? new URL(url).origin,
    nonce: wish.nonce ?? (await nonceOf(url)),
    key: gateway.signing.privateKey,
  });
}

const tickets = new WeakMap<MemoryGateway, Map<string, string>>();

/** Claims the seat for an instance, with the ticket that the last claim of this gateway object brought. */
export async function claimSeat(
  gateway: MemoryGateway,
  url: string,
  wish: AssertionWish & { readonly ticket?: string | null } = {},
): Promise<Response> {
  const own = tickets.get(gateway) ?? new Map<string, string>();
  tickets.set(gateway, own);
  const role = wish.role ?? 'gateway';
  const ticket = wish.ticket === undefined ? own.get(role) : (wish.ticket ?? undefined);
  const answer = await fetch(`${url}/bridge/v1/seat`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await assertionFor(gateway, url, wish)}`,
      'x-isthmus-hostname': 'test',
      ...(ticket !== undefined && { 'x-isthmus-ticket': ticket }),
    },
  });
  if (answer.ok && wish.ticket === undefined)
    own.set(role, ((await answer.clone().json()) as { ticket: string }).ticket);
  return answer;
}

/** A set of records as a gateway gathers it from frames: what the protocol promises, checked from outside. */
export interface GatheredSet {
  take(frame: Frame): void;
  readonly head: SignedHead | undefined;
  /** True when the headers give the head's digest and every entitled payload is here with its hash. */
  isWhole(grant: Pick<Grant, 'fleet' | 'tags'>): boolean;
  readonly headers: ReadonlyMap<string, RecordHeader>;
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** How many headers frames replaced everything. */
  readonly fulls: number;
}

/** Gathers the frames of one environment. */
export function createGatheredSet(): GatheredSet {
  let headers = new Map<string, RecordHeader>();
  const records = new Map<string, Uint8Array>();
  let head: SignedHead | undefined;
  let isFull = false;
  let fulls = 0;
  const hashes = (): Uint8Array => digestOf(bucketHashesOf(headers.values()));
  return {
    get head() {
      return head;
    },
    get headers() {
      return headers;
    },
    get fulls() {
      return fulls;
    },
    records,
    take(frame) {
      if (frame.kind === 'headers') {
        if (frame.isFull && !isFull) {
          headers = new Map();
          isFull = true;
          fulls += 1;
        }
        for (const header of frame.headers) headers.set(`${header.kind} ${header.id}`, header);
      } else if (frame.kind === 'bucketHeaders') {
        const kept = [...headers].filter(([, header]) => !frame.buckets.includes(bucketOfHeader(header)));
        headers = new Map([
          ...kept,
          ...frame.headers.map((header) => [`${header.kind} ${header.id}`, header] as const),
        ]);
      } else if (frame.kind === 'payloads') {
        for (const bytes of frame.records) {
          const { kind, id } = decodeRecord(bytes);
          records.set(`${kind} ${id}`, bytes);
        }
      } else if (frame.kind === 'head' && frame.isAnnounced !== true) {
        head = decodeHead(frame.head);
        isFull = false;
      }
    },
    isWhole(grant) {
      if (head === undefined || Buffer.compare(head.digest, hashes()) !== 0) return false;
      return [...headers].every(([key, header]) => {
        if (header.isDeleted || !isRecordEntitled(grant, header)) return true;
        const bytes = records.get(key);
        return (
          bytes !== undefined &&
          createHash('sha256').update(bytes).digest().equals(Buffer.from(header.sha256))
        );
      });
    },
  };
}

function bucketOfHeader({ kind, id }: RecordHeader): number {
  return createHash('sha256').update(`${kind}\0${id}`).digest()[0] ?? 0;
}

/** An open stream of a test. */
export interface StreamClient {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  readonly sets: ReadonlyMap<string, GatheredSet>;
  send(frame: Frame): void;
  /** The close frame once the socket is closed. */
  readonly closed: Promise<{ readonly code: number; readonly frame: CloseFrame | undefined }>;
  /** What the upgrade was refused with, when it was. */
  readonly refused: Promise<{
    readonly status: number;
    readonly body: { readonly code: string } & Record<string, unknown>;
  }>;
}

/** What a test client says of itself. */
export interface StreamWish {
  readonly gateway: MemoryGateway;
  readonly url: string;
  readonly instance?: string;
  readonly token?: string;
  /** Comes without claiming the seat first. */
  readonly isUnseated?: boolean;
  readonly hello?: Partial<HelloFrame>;
}

/** Opens a stream, says hello and gathers what comes. */
export async function openStream({ gateway, url, ...wish }: StreamWish): Promise<StreamClient> {
  const instance = wish.instance ?? 'instance-1';
  if (wish.token === undefined && wish.isUnseated !== true) await claimSeat(gateway, url, { instance });
  const token = wish.token ?? (await assertionFor(gateway, url, { instance }));
  const socket = new WebSocket(`${url.replace('http', 'ws')}/bridge/v1/stream`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const frames: Frame[] = [];
  const sets = new Map<string, GatheredSet>();
  const closed = Promise.withResolvers<{ code: number; frame: CloseFrame | undefined }>();
  const refused = Promise.withResolvers<Awaited<StreamClient['refused']>>();
  const send = (frame: Frame): void => socket.send(encodeFrame(frame));
  socket.on('open', () =>
    send({
      kind: 'hello',
      protocol: 1,
      instance,
      version: '0.1.0',
      hostname: 'test',
      startedAtMs: Date.now(),
      policies: ['mock'],
      environments: [],
      tags: [],
      ...wish.hello,
    }),
  );
  socket.on('message', (message: Buffer) => {
    const frame = decodeFrame(message);
    if (frame === undefined) return;
    frames.push(frame);
    if (!('environment' in frame)) return;
    const set = sets.get(frame.environment) ?? createGatheredSet();
    sets.set(frame.environment, set);
    set.take(frame);
  });
  socket.on('unexpected-response', (_request, response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('end', () =>
      refused.resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as { code: string } }),
    );
  });
  socket.on('error', () => undefined);
  socket.on('close', (code) =>
    closed.resolve({ code, frame: frames.find((frame) => frame.kind === 'close') }),
  );
  return { socket, frames, sets, send, closed: closed.promise, refused: refused.promise };
}
