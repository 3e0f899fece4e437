import { createHash } from 'node:crypto';

import type { Surroundings } from '../../../proto/expression/scope.ts';
import type { Template } from '../../../proto/expression/template.ts';
import type { HealthCheckDefinition } from '../../../proto/model/api.ts';
import type { CalledUrl } from '../called-url.ts';
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

interface Entry {
  readonly watched: Watched;
  /** Revisions that serve, the newest last. */
  readonly holders: Holder[];
}

/**
 * The endpoints of all APIs that have a health check, with their states.
 *
 * An endpoint keeps its state over revisions in which its target and the way to it are the same: the new one takes it over before the
 * old one lets go.
 */
export class HealthBoard {
  readonly #entries = new Map<string, Entry>();
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
    const entry = this.#entries.get(key);
    const holder = { api, check, onChange };
    const held = entry ?? this.#begin(key, holder);
    held.holders.push(holder);
    if (entry !== undefined) this.#follow(entry);
    return {
      get isUp() {
        return isAvailable(held.watched.standing.state);
      },
      release: () => this.#release(held, holder),
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
    const watched = this.#entries.get(key)?.watched;
    if (watched !== undefined) this.take(watched, { state, against: 0 }, { nowMs, problem: undefined });
  }

  /** All that are watched. */
  *[Symbol.iterator](): Iterator<Watched> {
    for (const { watched } of this.#entries.values()) yield watched;
  }

  /** What a process that begins has to be told: who is not simply up. */
  get states(): readonly ToldState[] {
    return [...this].flatMap(({ key, standing: { state } }) => (state === 'up' ? [] : [{ key, state }]));
  }

  #begin(key: string, { api, check }: Holder): Entry {
    const watched = {
      key,
      api,
      check,
      standing: untried,
      sinceMs: undefined,
      checkedMs: undefined,
      problem: undefined,
    };
    const entry: Entry = { watched, holders: [] };
    this.#entries.set(key, entry);
    this.#checker?.begin(watched);
    return entry;
  }

  #release(entry: Entry, holder: Holder): void {
    const at = entry.holders.indexOf(holder);
    if (at === -1) return;
    entry.holders.splice(at, 1);
    if (entry.holders.length > 0) return this.#follow(entry);
    this.#entries.delete(entry.watched.key);
    this.#checker?.end(entry.watched);
  }

  /** The newest revision says how it is checked. */
  #follow({ watched, holders }: Entry): void {
    const newest = holders.at(-1);
    if (newest === undefined || newest.check === watched.check) return;
    watched.api = newest.api;
    watched.check = newest.check;
    this.#checker?.change(watched);
  }

  #tell(key: string): void {
    for (const { onChange } of this.#entries.get(key)?.holders ?? []) onChange();
  }
}

function keyOf({ environment, id }: CheckedApi, { endpoint, place }: EndpointCheck): string {
  return createHash('sha256')
    .update(JSON.stringify([environment, id, endpoint, place]))
    .digest('base64url');
}
