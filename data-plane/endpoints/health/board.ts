import { createHash } from 'node:crypto';

import type { Surroundings } from '../../../proto/expression/scope.ts';
import type { Template } from '../../../proto/expression/template.ts';
import type { HealthCheckDefinition } from '../../../proto/model/api.ts';
import type { CalledUrl } from '../called-url.ts';
import { Claims } from '../claims.ts';
import type { DefinedOptions } from '../options.ts';
import { type HealthState, isAvailable, type Standing, untried } from './states.ts';

/** The API of an endpoint, as records and expressions know it. */
export interface CheckedApi {
  readonly organization: string;
  readonly environment: string;
  readonly id: string;
  readonly name: string;
  readonly surroundings: Surroundings;
  /** Whether its checks have records. */
  readonly isRecorded: boolean;
}

/** How to check one endpoint; made when its definition is compiled. */
export interface EndpointCheck {
  readonly group: string;
  readonly endpoint: string;
  /** What of the endpoint the state belongs to: its target and how it is talked to, as a digest. */
  readonly place: string;
  readonly definition: HealthCheckDefinition;
  readonly endpointTarget: Template<string>;
  readonly endpointHeaders: readonly { readonly name: string; readonly value: Template<string> }[];
  readonly optionsOf: (called: CalledUrl) => DefinedOptions;
}

/** An endpoint that is checked, or of which somebody else tells. */
export interface Watched {
  /** The same in all processes of this gateway. */
  readonly key: string;
  /** Of the newest revision. */
  api: CheckedApi;
  check: EndpointCheck;
  standing: Standing;
  /** When its state was reached, ms since the epoch; undefined when it never changed. */
  sinceMs: number | undefined;
  /** When the last check ended, ms since the epoch; undefined before the first. */
  checkedMs: number | undefined;
  /** Why the last check failed; undefined when it did not. */
  problem: string | undefined;
}

/** Who does the checks. */
export interface Checker {
  begin(watched: Watched): void;
  /** A newer revision checks it in another way, or one that was newer has gone. */
  change(watched: Watched): void;
  end(watched: Watched): void;
}

/** A claim on what is watched; given back exactly once. */
export interface HeldHealth {
  readonly isUp: boolean;
  release(): void;
}

/** A state that is told to another process. */
export interface ToldState {
  readonly key: string;
  readonly state: HealthState;
}

interface Holder {
  readonly api: CheckedApi;
  readonly check: EndpointCheck;
  readonly onChange: () => void;
}

/**
 * The endpoints of all APIs that have a health check, with their states.
 *
 * An endpoint keeps its state over revisions in which its target and the way to it are the same: the new one takes it over before the
 * old one lets go.
 */
export class HealthBoard {
  readonly #claims = new Claims<Watched, Holder>({
    follow: (watched, newest) => this.#follow(watched, newest),
    end: (watched) => this.#checker?.end(watched),
  });
  #checker: Checker | undefined = undefined;
  #onState: (watched: Watched) => void = () => undefined;

  /** From now on somebody checks what is watched. Once, before anything is. */
  checkBy(checker: Checker, onState: (watched: Watched) => void): void {
    this.#checker = checker;
    this.#onState = onState;
  }

  /** onChange: it is up now, or not any more. */
  watch(api: CheckedApi, check: EndpointCheck, onChange: () => void): HeldHealth {
    const key = keyOf(api, check);
    const { subject, release } = this.#claims.add(key, { api, check, onChange }, () => {
      const never = { sinceMs: undefined, checkedMs: undefined, problem: undefined };
      const watched: Watched = { key, api, check, standing: untried, ...never };
      this.#checker?.begin(watched);
      return watched;
    });
    return {
      get isUp() {
        return isAvailable(subject.standing.state);
      },
      release,
    };
  }

  /** What a check came to; says whether that is another state. */
  take(
    watched: Watched,
    standing: Standing,
    found: { readonly nowMs: number; readonly problem: string | undefined },
  ): boolean {
    const { state } = watched.standing;
    watched.standing = standing;
    watched.problem = found.problem;
    watched.checkedMs = found.nowMs;
    if (state === standing.state) return false;
    watched.sinceMs = found.nowMs;
    if (isAvailable(state) !== isAvailable(standing.state)) this.#tell(watched.key);
    this.#onState(watched);
    return true;
  }

  /** What another process found; an endpoint that is not here is of a revision that this one does not serve. */
  told({ key, state }: ToldState, nowMs: number): void {
    const watched = this.#claims.get(key);
    if (watched !== undefined) this.take(watched, { state, against: 0 }, { nowMs, problem: undefined });
  }

  /** All that are watched. */
  [Symbol.iterator](): Iterator<Watched> {
    return this.#claims[Symbol.iterator]();
  }

  /** What a process that begins has to be told: who is not simply up. */
  get states(): readonly ToldState[] {
    return [...this].flatMap(({ key, standing: { state } }) => (state === 'up' ? [] : [{ key, state }]));
  }

  /** The newest revision says how it is checked. */
  #follow(watched: Watched, { api, check }: Holder): void {
    if (check === watched.check) return;
    watched.api = api;
    watched.check = check;
    this.#checker?.change(watched);
  }

  #tell(key: string): void {
    for (const { onChange } of this.#claims.of(key)) onChange();
  }
}

function keyOf({ environment, id }: CheckedApi, { endpoint, place }: EndpointCheck): string {
  return createHash('sha256')
    .update(JSON.stringify([environment, id, endpoint, place]))
    .digest('base64url');
}
