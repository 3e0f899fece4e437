import type { Clock } from '../proto/process/clock.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { createTroubleKeeper, type BorderTrouble, type LastingTrouble } from '../proto/trust/border.ts';
import type { QuarantineContent } from './quarantine.ts';

/** What does not move, and why. */
export interface Stuck {
  readonly spool: string;
  /** What is being delivered; absent when the spool itself cannot be read. */
  readonly range?: { readonly first: number; readonly last: number } | undefined;
  readonly bytes?: number | undefined;
  readonly reason: string;
}

/** What the node API says of a shipper, beside what it says of every process. */
export interface ShipperFacts {
  /** Whether the far end took, or answered, what was tried last; absent until something was. */
  readonly connected?: boolean | undefined;
  /** When a parcel arrived last, ISO 8601; absent until one has since the start. */
  readonly lastDelivery?: string | undefined;
  readonly stuck: readonly (Stuck & {
    readonly since: string;
    readonly seconds: number;
    readonly tries: number;
  })[];
  /** Records that were set aside and files that were damaged since the start, newest last. */
  readonly setAside: readonly SetAside[];
  readonly quarantine?: QuarantineContent | undefined;
  /** Why the bridge takes nothing from this shipper, with what to do; absent while it does, and while it is merely away. */
  readonly trouble?: LastingTrouble | undefined;
  /** What it waits for before it can ship anything, e.g. the gateway to enrol. */
  readonly waitsFor?: string | undefined;
}

/** Something that was moved out of the way for a human. */
export interface SetAside {
  readonly file: string;
  readonly reason: string;
  readonly at: string;
}

interface Entry {
  readonly stuck: Stuck;
  readonly sinceMs: number;
  readonly sinceMonotonicMs: number;
  readonly tries: number;
}

/** A hop may answer one upload by itself; a trouble lasts. */
const troublesMin = 2;
const setAsideMax = 20;
/** More spools than this are only counted, in the metrics. */
const stuckMax = 50;

/** Knows how the shipper is: what is stuck since when, and what was set aside. */
export class Condition {
  readonly #clock: Clock;
  readonly #stuckMsMax: number;
  readonly #meters: ReturnType<typeof createMeters>;
  readonly #entries = new Map<string, Entry>();
  readonly #setAside: SetAside[] = [];
  readonly #log: Pick<Log, 'error' | 'info'>;
  readonly #trouble: ReturnType<typeof createTroubleKeeper>;
  #troubles = 0;
  #waitsFor: string | undefined = 'the start';
  #isConnected: boolean | undefined;
  #awaySinceMs: number | undefined;
  readonly #onReturn: (awayMs: number) => Promise<void> | void;
  #deliveredAtMs: number | undefined;
  #quarantine: (() => QuarantineContent) | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly log: Pick<Log, 'error' | 'info'>;
    readonly stuckMsMax: number;
    /** Hears that the far end is there again, and how long it was not. */
    readonly onReturn?: (awayMs: number) => Promise<void> | void;
  }) {
    this.#onReturn = options.onReturn ?? (() => undefined);
    this.#log = options.log;
    this.#trouble = createTroubleKeeper(
      () => options.clock.now(),
      (present) => {
        this.#meters.trouble.reset();
        if (present !== undefined) this.#meters.trouble.set({ code: present.code }, 1);
      },
    );
    this.#clock = options.clock;
    this.#stuckMsMax = options.stuckMsMax;
    this.#meters = createMeters(options.metrics);
  }

  waits(reason: string): void {
    this.#waitsFor = reason;
  }

  ready(quarantine: () => QuarantineContent): void {
    this.#waitsFor = undefined;
    this.#quarantine = quarantine;
  }

  /** Somebody was asked to take a parcel: whether that was the far end, whether it did, and what keeps it from that until a human acts. */
  async tried({
    isConnected,
    isDelivered,
    trouble,
  }: {
    readonly isConnected: boolean;
    readonly isDelivered: boolean;
    readonly trouble: BorderTrouble | undefined;
  }): Promise<void> {
    this.#isConnected = isConnected;
    const nowMs = this.#clock.monotonicMs();
    const awaySinceMs = this.#awaySinceMs;
    if (isConnected) this.#awaySinceMs = undefined;
    else this.#awaySinceMs ??= nowMs;
    if (isDelivered) this.#deliveredAtMs = this.#clock.now();
    this.#troubles = trouble === undefined ? 0 : this.#troubles + 1;
    if (isConnected) this.#settle();
    else if (trouble !== undefined && this.#troubles >= troublesMin) this.#suffer(trouble);
    if (isConnected && awaySinceMs !== undefined) await this.#onReturn(nowMs - awaySinceMs);
  }

  /** The far end was asked although there was nothing to send: what it says lasts, and is told at once. */
  async looked(seen: {
    readonly isConnected: boolean;
    readonly trouble: BorderTrouble | undefined;
  }): Promise<void> {
    this.#troubles = troublesMin;
    await this.tried({ ...seen, isDelivered: false });
  }

  /** What keeps records here until a human acts. */
  get trouble(): LastingTrouble | undefined {
    return this.#trouble.present();
  }

  #suffer(trouble: BorderTrouble): void {
    const { code, text, remedy } = trouble;
    if (!this.#trouble.set(trouble)) return;
    this.#log.error({ code, remedy }, `${text} Records wait on this disk`);
  }

  #settle(): void {
    const over = this.#trouble.clear();
    if (over === undefined) return;
    this.#log.info({ code: over.code, since: over.since }, 'the far end answers this shipper again');
  }

  /** True once there is somebody to ship for. */
  get isReady(): boolean {
    return this.#waitsFor === undefined;
  }

  /** True when something has been stuck for longer than the bound. */
  get isStuck(): boolean {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#entries.values()].some(
      ({ sinceMonotonicMs }) => nowMs - sinceMonotonicMs >= this.#stuckMsMax,
    );
  }

  /** A try failed: its spool is stuck since the first one that did. */
  stuck(stuck: Stuck): void {
    const known = this.#entries.get(stuck.spool);
    this.#entries.set(stuck.spool, {
      stuck,
      sinceMs: known?.sinceMs ?? this.#clock.now(),
      sinceMonotonicMs: known?.sinceMonotonicMs ?? this.#clock.monotonicMs(),
      tries: (known?.tries ?? 0) + 1,
    });
    this.#measure();
  }

  /** Something of the spool has arrived, or it is gone. */
  moves(spool: string): void {
    if (this.#entries.delete(spool)) this.#measure();
  }

  setAside(file: string, reason: string): void {
    this.#setAside.push({ file, reason, at: new Date(this.#clock.now()).toISOString() });
    if (this.#setAside.length > setAsideMax) this.#setAside.shift();
  }

  facts(): ShipperFacts {
    const nowMs = this.#clock.monotonicMs();
    const entries = [...this.#entries.values()].toSorted((a, b) => a.sinceMonotonicMs - b.sinceMonotonicMs);
    return {
      ...(this.#isConnected !== undefined && { connected: this.#isConnected }),
      ...(this.#deliveredAtMs !== undefined && {
        lastDelivery: new Date(this.#deliveredAtMs).toISOString(),
      }),
      ...(this.#trouble.present() !== undefined && { trouble: this.#trouble.present() }),
      ...(this.#waitsFor !== undefined && { waitsFor: this.#waitsFor }),
      stuck: entries.slice(0, stuckMax).map(({ stuck, sinceMs, sinceMonotonicMs, tries }) => ({
        ...stuck,
        since: new Date(sinceMs).toISOString(),
        seconds: Math.round((nowMs - sinceMonotonicMs) / 1_000),
        tries,
      })),
      setAside: this.#setAside,
      ...(this.#quarantine !== undefined && { quarantine: this.#quarantine() }),
    };
  }

  #measure(): void {
    const sinces = Array.from(this.#entries.values(), (entry) => entry.sinceMs);
    this.#meters.spools.set(sinces.length);
    this.#meters.since.set(sinces.length === 0 ? 0 : Math.min(...sinces) / 1_000);
    this.#meters.failing.set(sinces.length === 0 ? 0 : 1);
  }
}

function createMeters(metrics: Metrics) {
  return {
    failing: metrics.gauge('isthmus_shipper_failing', '1 while deliveries fail'),
    trouble: metrics.gauge(
      'isthmus_shipper_trouble',
      '1 while the bridge or the bucket does not let this shipper in; the code says why',
      ['code'],
    ),
    spools: metrics.gauge('isthmus_shipper_stuck_spools', 'Spools whose last try failed'),
    since: metrics.gauge(
      'isthmus_shipper_stuck_since_timestamp_seconds',
      'Since when the spool does not move that has waited longest, since the epoch; 0 when all move',
    ),
  };
}
