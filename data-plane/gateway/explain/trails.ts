import type { StepList } from '../../../proto/model/records/step-list.ts';
import type { Outcome } from '../../http/exchange.ts';
import type { StepSettings } from '../../report/step-settings.ts';
import { type ToldCall, tell } from './told.ts';
import { Trail } from './trail.ts';

/** Trails that wait for a request; beyond them one that ends is forgotten. */
const idleMax = 256;

/** What of a request decides whether its steps are written. */
interface EndedCall extends ToldCall {
  readonly startedAtMs: number;
  readonly endpointUrl: string | undefined;
}

/** The trails of a process's requests, and which of them are told. */
export class Trails {
  readonly #settings: StepSettings;
  readonly #chance: () => number;
  readonly #idle: Trail[] = [];
  #second = 0;
  #toldInSecond = 0;

  /** chance: from 0 to 1, for samples. */
  constructor(settings: StepSettings, chance: () => number = Math.random) {
    this.#settings = settings;
    this.#chance = chance;
  }

  begin(): Trail {
    return this.#idle.pop() ?? new Trail();
  }

  /** The request is over: its steps, where they are to be written. The trail is somebody else's from now on. */
  end(trail: Trail, call: EndedCall, outcome: Outcome): StepList | undefined {
    const why = this.#why(trail, call, outcome);
    const told =
      why === undefined || !this.#hasRoom(why, call.startedAtMs)
        ? undefined
        : tell(trail, call, { outcome, why });
    trail.end();
    if (this.#idle.length < idleMax) this.#idle.push(trail);
    return told;
  }

  #why(trail: Trail, call: EndedCall, outcome: Outcome): StepList['for'] | undefined {
    const { slowMs, sampledShare } = this.#settings;
    const { kind, status, totalUs } = outcome;
    if (kind !== 'complete' || status >= 500) return 'failed';
    if (call.errorKey !== undefined || outcome.refusal !== undefined)
      return call.endpointUrl === undefined ? 'refused' : 'failed';
    const answeredUs = trail.isStream ? call.exchange.marks.upstreamHeadUs : totalUs;
    if (slowMs > 0 && answeredUs >= slowMs * 1_000) return 'slow';
    return sampledShare > 0 && this.#chance() < sampledShare ? 'sampled' : undefined;
  }

  /** Whoever is refused may ask as often as he likes: half of the room is for the others. */
  #hasRoom(why: StepList['for'], startedAtMs: number): boolean {
    const { perSecondMax } = this.#settings;
    const second = Math.floor(startedAtMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#toldInSecond = 0;
    }
    const max = why === 'refused' ? Math.ceil(perSecondMax / 2) : perSecondMax;
    if (this.#toldInSecond >= max) return false;
    this.#toldInSecond += 1;
    return true;
  }
}
