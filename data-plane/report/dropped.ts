import type { GapRecord } from '../../proto/model/access-record.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { StreamName } from '../../proto/spool/folder.ts';
import { partOf } from './blocks.ts';
import type { Part, Tenant } from './messages.ts';

/** What was dropped from memory, until a gap record of its stream says so. */
export class Dropped {
  readonly #options: { readonly gateway: string; readonly clock: Clock };
  readonly #counts = new Map<string, { readonly at: Tenant; count: number }>();

  constructor(options: { readonly gateway: string; readonly clock: Clock }) {
    this.#options = options;
  }

  add(count: number, at: Tenant): void {
    const known = this.#counts.get(at.spool) ?? { at, count: 0 };
    known.count += count;
    this.#counts.set(at.spool, known);
  }

  /** Gap records that go in front of the next lines of a stream. */
  take(stream: StreamName): readonly Part[] {
    if (this.#counts.size === 0) return [];
    const gaps: Part[] = [];
    for (const [spool, { at, count }] of this.#counts) {
      if (at.stream !== stream) continue;
      this.#counts.delete(spool);
      gaps.push(this.#gapOf(at, count));
    }
    return gaps;
  }

  #gapOf(at: Tenant, dropped: number): Part {
    const gap: GapRecord = {
      type: 'gap',
      org_id: at.organization,
      env_id: at.environment,
      gateway_id: this.#options.gateway,
      timestamp: this.#options.clock.now(),
      reason: 'memoryFull',
      dropped,
    };
    return partOf(at, `${JSON.stringify(gap)}\n`);
  }
}
