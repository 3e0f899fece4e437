import { setImmediate } from 'node:timers/promises';

import type { HealthRecord } from '../../../proto/model/api/health-record.ts';
import { readSchedule } from '../../../proto/model/api.ts';
import { invariant } from '../../../proto/faults/fault.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Guard } from '../../../proto/process/outbound/guard.ts';
import type { HeaderList } from '../../http/exchange.ts';
import { Origins } from '../origins.ts';
import type { Upstreams } from '../upstreams.ts';
import type { Checker, HealthBoard, Watched } from './board.ts';
import { compileCheck, type CompiledCheck } from './compiled.ts';
import { type Finding, probe } from './probe.ts';
import { AssertionShare } from './share.ts';
import { checked, healthStates, isAvailable } from './states.ts';

/** Bounds of checks; settings of the gateway. */
export interface CheckSettings {
  /** Each endpoint is checked by up to this much later than its schedule says, always the same for one, so that not all are at once. */
  readonly jitterMsMax: number;
  /** Checks that run at a time, in this process and of one API; the others wait for their turn. */
  readonly inFlightMax: number;
  readonly inFlightPerApiMax: number;
  /** Longest time of a check, to the last byte that its assertion reads. */
  readonly checkMsMax: number;
}

/** What checks need of their process. */
export interface ChecksOptions {
  readonly settings: CheckSettings;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly upstreams: Upstreams;
  readonly createHeaders: () => HeaderList;
  /** Id of this gateway, in records. */
  readonly gateway: string;
  /** Undefined records nothing. */
  readonly record: ((record: HealthRecord) => void) | undefined;
  readonly onThrown: (error: unknown) => void;
  /** An API whose assertions take more than their share, as environment/id: its checks are put off. Once until they take less. */
  readonly onPutOff: (api: string) => void;
  /** In [0, 1). */
  readonly random?: (() => number) | undefined;
}

/** Connections of one endpoint for checks: one at a time is used, another may be on its way out. */
const connectionsMax = 4;
/** A wall clock may be set: however far a check is away, it is looked at again. */
const lookMsMax = 60_000;
/** How much too early a timer may be. */
const earlyMsMax = 5;

/** An endpoint with what its checks need. */
interface Checked {
  readonly watched: Watched;
  compiled: CompiledCheck;
  readonly offsetMs: number;
  readonly pools: Origins;
  readonly ended: AbortController;
  cancel: () => void;
  dueMs: number | undefined;
  isRunning: boolean;
}

/** Checks the endpoints of a board, each as its schedule says. */
export class Checks implements Checker {
  readonly #board: HealthBoard;
  readonly #options: ChecksOptions;
  readonly #all = new Map<string, Checked>();
  /** Due, and more run already than may. */
  readonly #waiting = new Set<Checked>();
  readonly #runningByApi = new Map<string, number>();
  readonly #share: AssertionShare;
  #running = 0;

  constructor(board: HealthBoard, options: ChecksOptions) {
    this.#board = board;
    this.#options = options;
    this.#share = new AssertionShare(options.clock, options.onPutOff);
  }

  begin(watched: Watched): void {
    const { upstreams, guard, settings, random = Math.random } = this.#options;
    const { api, key, check } = watched;
    const one: Checked = {
      watched,
      compiled: compileCheck(check.definition),
      offsetMs: Math.floor(random() * settings.jitterMsMax),
      pools: new Origins({
        api: `health of ${api.environment}/${api.id}/${key}`,
        upstreams,
        guard,
        // A connection of its own each time: whoever keeps one does not notice that no other can be opened.
        optionsOf: (url) => ({ ...watched.check.optionsOf(url), keepAlive: false, connectionsMax }),
      }),
      ended: new AbortController(),
      cancel: () => undefined,
      dueMs: undefined,
      isRunning: false,
    };
    this.#all.set(key, one);
    this.#arm(one, this.#options.clock.now());
  }

  change(watched: Watched): void {
    const one = this.#all.get(watched.key);
    if (one === undefined) return;
    one.compiled = compileCheck(watched.check.definition);
    this.#arm(one, this.#options.clock.now());
  }

  end({ key }: Watched): void {
    const one = this.#all.get(key);
    if (one === undefined) return;
    this.#all.delete(key);
    this.#waiting.delete(one);
    one.cancel();
    one.ended.abort();
    one.pools.release();
  }

  /** Sets the timer of the first check after a moment. */
  #arm(one: Checked, afterMs: number): void {
    one.cancel();
    const { clock } = this.#options;
    const schedule = readSchedule(one.watched.check.definition.schedule);
    invariant(typeof schedule !== 'string', 'a schedule was judged when it was read');
    const nextMs = schedule.nextMs(afterMs - one.offsetMs);
    one.dueMs = nextMs === undefined ? undefined : nextMs + one.offsetMs;
    const waitMs = one.dueMs === undefined ? lookMsMax : Math.min(lookMsMax, one.dueMs - clock.now());
    one.cancel = clock.after(waitMs, () => this.#look(one));
  }

  #look(one: Checked): void {
    const nowMs = this.#options.clock.now();
    const { dueMs = Infinity } = one;
    const isDue = dueMs <= nowMs + earlyMsMax;
    // Behind the one that is due, which a timer that is early would find again.
    this.#arm(one, isDue ? Math.max(nowMs, dueMs) : nowMs);
    // Who is still busy with the check before leaves this one out.
    if (!isDue || one.isRunning || this.#share.isPast(apiOf(one))) return;
    this.#waiting.add(one);
    this.#runNext();
  }

  #runNext(): void {
    const { inFlightMax, inFlightPerApiMax } = this.#options.settings;
    for (const one of this.#waiting) {
      if (this.#running >= inFlightMax) return;
      if ((this.#runningByApi.get(apiOf(one)) ?? 0) >= inFlightPerApiMax) continue;
      this.#waiting.delete(one);
      void this.#run(one);
    }
  }

  async #run(one: Checked): Promise<void> {
    const api = apiOf(one);
    one.isRunning = true;
    this.#running += 1;
    this.#runningByApi.set(api, (this.#runningByApi.get(api) ?? 0) + 1);
    try {
      await this.#check(one);
    } catch (error) {
      this.#options.onThrown(error);
    } finally {
      one.isRunning = false;
      this.#running -= 1;
      const left = (this.#runningByApi.get(api) ?? 1) - 1;
      if (left === 0) this.#runningByApi.delete(api);
      else this.#runningByApi.set(api, left);
      this.#runNext();
    }
  }

  async #check(one: Checked): Promise<void> {
    const { clock, createHeaders, settings, record } = this.#options;
    const { watched, compiled, pools, ended } = one;
    const { api, check } = watched;
    const startedAtMs = clock.now();
    const finding = await probe(
      { api, check, compiled },
      {
        clock,
        createHeaders,
        toward: (url) => pools.toward(url),
        checkMsMax: settings.checkMsMax,
        inTurn: async (ask) => {
          // Requests come between two assertions, however many answers come at once.
          await setImmediate();
          return this.#share.isPast(apiOf(one)) ? undefined : this.#share.count(apiOf(one), ask);
        },
        signal: ended.signal,
      },
    );
    if (ended.signal.aborted || finding === undefined) return;
    const { problem } = finding;
    const standing = checked(watched.standing, problem === undefined, watched.check.definition);
    const isTransition = this.#board.take(watched, standing, { nowMs: clock.now(), problem });
    if (api.isRecorded) record?.(this.#recordOf(watched, finding, { startedAtMs, isTransition }));
  }

  #recordOf(
    { api, check, standing }: Watched,
    { problem, method, url, status, responseMs }: Finding,
    { startedAtMs, isTransition }: { readonly startedAtMs: number; readonly isTransition: boolean },
  ): HealthRecord {
    return {
      type: 'health-check',
      org_id: api.organization,
      env_id: api.environment,
      gateway_id: this.#options.gateway,
      api_id: api.id,
      api_name: api.name,
      timestamp: startedAtMs,
      endpoint_group: check.group,
      endpoint_name: check.endpoint,
      endpoint: url,
      success: problem === undefined ? 1 : 0,
      available: isAvailable(standing.state) ? 1 : 0,
      state: healthStates[standing.state],
      transition: isTransition ? 1 : 0,
      response_time_ms: responseMs,
      check_method: method,
      check_status: status,
      message: problem,
    };
  }
}

const apiOf = ({ watched: { api } }: Checked): string => `${api.environment}/${api.id}`;
