import type { ResponseHead, UpstreamRequest, UpstreamUpgrade } from '../exchange.ts';
import { passableProtocols } from '../message/upgrade.ts';
import type { Sweep, Swept } from '../socket/sweep.ts';
import type { Wire, WireOwner } from '../socket/wire.ts';
import type { CallHolder, UpstreamCall } from './call.ts';
import { offersOf } from './request-head.ts';

/** An upstream connection that switched protocols, as startTunnel takes it. */
export interface OpenUpgrade extends UpstreamUpgrade {
  readonly wire: Wire;
  /** Bytes that came behind the upstream's head. */
  readonly early: Buffer;
}

/**
 * Hands a connection that switched protocols to whoever made the call. He may take it over now or later, as steps around the backend do; it
 * ends with the request when nobody has.
 */
export function handOver(call: UpstreamCall, upgrade: OpenUpgrade, sweep: Sweep): void {
  const { wire } = upgrade;
  const waiting = new WaitingUpgrade(call, wire, sweep);
  wire.owner = waiting;
  call.holder = waiting;
  call.settle({ kind: 'upgrade', upgrade });
  if (!waiting.isOver) sweep.add(waiting);
}

/** Holds a connection that switched protocols, unread, until a tunnel takes it over or nobody can any more. */
class WaitingUpgrade implements WireOwner, CallHolder, Swept {
  readonly #call: UpstreamCall;
  readonly #wire: Wire;
  readonly #sweep: Sweep;

  constructor(call: UpstreamCall, wire: Wire, sweep: Sweep) {
    this.#call = call;
    this.#wire = wire;
    this.#sweep = sweep;
  }

  /** A tunnel has it, or it is closing. */
  get isOver(): boolean {
    return this.#wire.owner !== this || this.#wire.socket.destroyed;
  }

  onSweep(): void {
    if (!this.isOver && this.#call.request.exchange.isAnswered) this.#wire.destroy();
    if (this.isOver) this.#sweep.delete(this);
  }

  onClientGone(): void {
    if (!this.isOver) this.#wire.destroy();
  }

  onThrown(error: unknown): void {
    this.#call.onThrown(error);
  }

  onBytes(): void {
    // It is paused.
  }

  onDrain(): void {
    // Nothing is written to it.
  }

  onEnd(): void {
    this.#wire.destroy();
  }

  onClosed(): void {
    this.#sweep.delete(this);
  }
}

/** RFC 9110 section 7.8: a server switches only to what was offered, and its answer says to which; all of that was offered. */
export function isOffered(answer: ResponseHead, request: UpstreamRequest): boolean {
  if (!request.isUpgrade) return false;
  const offers = offersOf(request).map((offer) => offer.toLowerCase());
  const values = answer.headers.getAll('upgrade');
  const protocols = passableProtocols(values).map((one) => one.toLowerCase());
  return (
    protocols.length > 0 &&
    protocols.length === values.join().split(',').length &&
    protocols.every((one) => offers.includes(one))
  );
}
