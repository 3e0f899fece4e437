import { sourceOfAddress } from '../../../proto/process/peers.ts';
import type { EngineRefusal } from '../engine-refusal.ts';
import type { Exchange, ServerHttp2, ServerLimits, ServerOptions } from '../exchange.ts';
import { Authorities } from '../message/authority.ts';
import type { FieldLimits } from '../message/fields.ts';
import type { RefusalReason } from '../message/refusal.ts';
import { refusals } from '../message/refusal.ts';
import type { TargetSettings } from '../message/target.ts';
import type { Sweep, Swept } from '../socket/sweep.ts';

/** A connection, or the tunnel that it became, as its server sees it. */
export interface Member extends Swept {
  readonly remoteAddress: string;
  retire(): void;
  readonly wire: { destroy(): void };
}

/**
 * Between closing a port and saying `Connection: close`. Who is told connects anew at once, and where another process still listens on the
 * same socket, or has just stopped to, he would wait in its queue and be reset.
 */
const unsaidMsMax = 200;

/** What the connections of one listener share. */
export class ServerState {
  readonly sweep: Sweep;
  readonly limits: ServerLimits & FieldLimits;
  readonly target: TargetSettings;
  readonly authorities = new Authorities();
  readonly members = new Set<Member>();
  readonly onExchange: (exchange: Exchange) => void;
  /** How HTTP/2 is spoken; undefined where it is not. */
  readonly speaksHttp2: ServerHttp2 | undefined;
  /** Of its connections. */
  readonly http2 = { connections: 0, streams: 0 };
  /** Answers say `Connection: close`. */
  isClosing = false;
  /** Whoever has nothing to do goes. */
  isRetiring = false;
  /** See {@link ServerOptions}. */
  readonly id: string | undefined;
  readonly #options: ServerOptions;
  readonly #bySource = new Map<string, number>();
  #onEmpty: (() => void) | undefined = undefined;

  constructor(options: ServerOptions, sweep: Sweep) {
    this.sweep = sweep;
    this.limits = options.limits;
    this.target = options.target;
    this.onExchange = options.onExchange;
    this.speaksHttp2 = options.http2;
    this.id = options.id;
    this.#options = options;
  }

  /** The event loop is late: work that is here goes first, new work is turned away before its body is read. */
  get isOverloaded(): boolean {
    const most = this.limits.eventLoopLagMsMax;
    return most !== 0 && this.sweep.lagMs > most;
  }

  /** Whether one more connection from there may come. */
  admits(remoteAddress: string): boolean {
    const { connectionsMax, connectionsPerSourceMax } = this.limits;
    const ofSource = this.#bySource.get(sourceOfAddress(remoteAddress)) ?? 0;
    return this.members.size < connectionsMax && ofSource < connectionsPerSourceMax;
  }

  join(member: Member): void {
    this.members.add(member);
    this.sweep.add(member);
    const source = sourceOfAddress(member.remoteAddress);
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
  }

  leave(member: Member): void {
    if (!this.members.delete(member)) return;
    this.sweep.delete(member);
    const source = sourceOfAddress(member.remoteAddress);
    const left = (this.#bySource.get(source) ?? 1) - 1;
    if (left === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, left);
    if (this.members.size === 0) this.sweep.run(() => this.#onEmpty?.());
  }

  /** Tells of a refusal; its answer waits for the promise, if there is one. */
  onRefusal(
    reason: RefusalReason,
    remoteAddress: string,
    known?: Pick<EngineRefusal, 'request' | 'hasExchange'>,
  ): Promise<void> | undefined {
    try {
      return this.#options.onRefusal?.({
        status: refusals[reason].status,
        reason,
        remoteAddress,
        startedAtMs: Date.now(),
        ...known,
      });
    } catch (error) {
      // The refusal itself goes on.
      this.sweep.tellThrown(error);
      return undefined;
    }
  }

  /**
   * Resolves when every connection is gone; those that are left at the deadline are cut. Idle ones stay for quietMs, since
   * their next request may have been sent already and would fail.
   */
  async drain(deadlineMs: number, quietMs: number): Promise<void> {
    const say = (): void => void (this.isClosing = true);
    if (quietMs === 0) say();
    const retire = (): void => {
      this.isRetiring = true;
      // After what the kernel has read for us by now: a request that is here is answered, whoever is idle then goes.
      setImmediate(() => {
        for (const member of this.members) this.sweep.run(() => member.retire());
      });
    };
    if (quietMs === 0) retire();
    if (this.members.size === 0) return;
    await new Promise<void>((resolve) => {
      const saying = quietMs === 0 ? undefined : setTimeout(say, Math.min(unsaidMsMax, quietMs / 2));
      const quiet = quietMs === 0 ? undefined : setTimeout(retire, quietMs);
      const timer = setTimeout(() => {
        for (const member of this.members) {
          this.sweep.run(() => member.wire.destroy());
          // Whose destruction throws says no more that it has gone.
          if (this.members.has(member)) setImmediate(() => this.leave(member));
        }
      }, deadlineMs);
      this.#onEmpty = () => {
        for (const each of [timer, saying, quiet]) clearTimeout(each);
        resolve();
      };
    });
  }
}

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * An end of a socket as everybody writes it: whoever comes by IPv4 to a listener for both is `::ffff:192.0.2.7` to the system, and
 * 192.0.2.7 to backends, records and limits. '' when the socket has ended.
 */
export function addressText(address: string | undefined): string {
  if (address === undefined) return '';
  return mapped.exec(address)?.[1] ?? address;
}
