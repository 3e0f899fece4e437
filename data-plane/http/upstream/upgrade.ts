import type { ResponseHead, UpstreamRequest, UpstreamUpgrade } from '../exchange.ts';
import { passableProtocols } from '../message/upgrade.ts';
import type { Wire, WireOwner } from '../socket/wire.ts';
import type { UpstreamCall } from './call.ts';
import { offersOf } from './request-head.ts';

/** An upstream connection that switched protocols, as startTunnel takes it. */
export interface OpenUpgrade extends UpstreamUpgrade {
  readonly wire: Wire;
  /** Bytes that came behind the upstream's head. */
  readonly early: Buffer;
}

/** Hands a connection that switched protocols over to whoever made the call; without a taker it ends. */
export function handOver(call: UpstreamCall, upgrade: OpenUpgrade, owner: WireOwner): void {
  const { wire } = upgrade;
  call.settle({ kind: 'upgrade', upgrade });
  // Nobody took it over: the request was answered in the meantime, e.g. at its deadline.
  if (wire.owner === owner) wire.destroy();
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
