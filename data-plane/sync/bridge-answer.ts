import { describeStranger } from '../../proto/process/stranger.ts';
import type { OutboundResponse } from '../../proto/process/outbound/outbound.ts';
import { BridgeRefusal } from './bridge-client.ts';

/** What the bridge's own answer looks like. */
export interface BridgeAnswerForm {
  readonly statuses: readonly number[];
  readonly type: 'application/zstd' | 'application/json' | 'application/vnd.isthmus.frames';
}

/** Somebody in between answered in the bridge's place. */
export function strangerAnswered(answer: Pick<OutboundResponse, 'status' | 'headers'>): BridgeRefusal {
  const reason = `${describeStranger(answer)}: not the bridge's answer`;
  return new BridgeRefusal(answer.status, { code: 'sync.foreign_answer', reason });
}

/**
 * Rejects with a BridgeRefusal when a success is not the bridge's: a log-in page has status 200 too, and a proxy's 204 is no poll.
 *
 * What an answer of the right form holds is proven by the head; this tells who answers wrongly, and waits before the next try.
 */
export async function demandForm(
  answer: OutboundResponse,
  { statuses, type }: BridgeAnswerForm,
): Promise<void> {
  const named = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (statuses.includes(answer.status) && named === type) return;
  // Begun and left, or its connection would be held until the time is over.
  for await (const _ of answer.stream) break;
  throw strangerAnswered(answer);
}
