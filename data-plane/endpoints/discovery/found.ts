import { Fault } from '../../../proto/faults/fault.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { Guard } from '../../../proto/process/outbound/guard.ts';
import { calledUrlOf } from '../called-url.ts';

/** An endpoint that nobody wrote into a definition; plain data, so that one process can tell another. */
export interface FoundEndpoint {
  /** e.g. `consul#web-1`, `dns#10.0.0.7:8080`; unique among those of its group. */
  readonly name: string;
  readonly target: string;
  /** What is dialled, where the target's name was looked up here; undefined where it is looked up for each connection. */
  readonly address: string | undefined;
  readonly weight: number;
  readonly secondary: boolean;
  readonly tenants: readonly string[];
}

/** What whoever was asked said. */
export type Answer =
  | {
      readonly kind: 'found';
      readonly endpoints: readonly FoundEndpoint[];
      /** What was said besides and is not called, in words for an operator. */
      readonly leftOut: readonly string[];
      /** When to ask again. */
      readonly againMs: number;
    }
  /** Nobody knows: what was known stays. */
  | { readonly kind: 'failed'; readonly why: string };

/** Somebody who can be asked again and again, one question at a time. */
export interface Source {
  /** Never rejects but for a bug. An abort ends it early, with any answer. */
  ask(signal: AbortSignal): Promise<Answer>;
  /** Gives back what it holds. */
  close(): void;
}

/** Words of somebody else that a log or the node API shows. */
const wordsCharsMax = 200;
/** How much of what is left out is told. */
const toldMax = 5;

/** What may be called of what was said: at most as many as a group may have, each once, and none where no endpoint may lead. */
export function judged(
  said: readonly FoundEndpoint[],
  guard: Guard,
): { readonly endpoints: readonly FoundEndpoint[]; readonly leftOut: readonly string[] } {
  const byName = new Map<string, FoundEndpoint>();
  const leftOut: string[] = [];
  const most = apiLimits.endpointsPerGroupMax;
  // In an order of its own: whoever answers may say the same in another order each time.
  for (const one of said.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    if (byName.has(one.name)) continue;
    if (mayCall(one, guard)) byName.set(one.name, one);
    else leftOut.push(`${one.name} leads to where this gateway may not call (upstream.allow, upstream.deny)`);
  }
  const all = [...byName.values()];
  if (all.length > most) leftOut.push(`${all.length - most} are left out: a group has at most ${most}`);
  return { endpoints: all.slice(0, most), leftOut };
}

function mayCall({ target, address }: FoundEndpoint, guard: Guard): boolean {
  const { url } = calledUrlOf(target);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  try {
    guard.checkHost({ host, port });
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
  return address === undefined || guard.mayConnect(address, { host, port });
}

/** A text of whoever answered, as a log line may show it. */
export function shownWords(text: string): string {
  const printable = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return printable.length > wordsCharsMax ? `${printable.slice(0, wordsCharsMax)}...` : printable;
}

/** What is left out, in one sentence; undefined where nothing is. */
export function toldLeftOut(leftOut: readonly string[]): string | undefined {
  if (leftOut.length === 0) return undefined;
  const more = leftOut.length > toldMax ? `; and ${leftOut.length - toldMax} more` : '';
  return `${leftOut.slice(0, toldMax).join('; ')}${more}`;
}
