import { createHash } from 'node:crypto';

import type { DiscoveryDefinition } from '../../../proto/model/api.ts';
import type { CheckedApi } from '../health/board.ts';
import type { CalledUrl } from '../called-url.ts';
import { Claims } from '../claims.ts';
import type { DefinedOptions } from '../options.ts';
import { type Answer, type FoundEndpoint, toldLeftOut } from './found.ts';

/** The API of a group, as far as who asks has to know it. */
export type AskingApi = Pick<CheckedApi, 'environment' | 'id'>;

/** How the endpoints of one group are found; made when its definition is compiled. */
export interface Discovery {
  readonly group: string;
  /** What is asked for. What was found belongs to it, over revisions that ask in another way. */
  readonly subject: string;
  /** How it is asked, as a digest. */
  readonly way: string;
  readonly definition: DiscoveryDefinition;
  /** The group has no endpoints of its own: without those that are found nobody takes its requests. */
  readonly isAlone: boolean;
  /** How to talk to whoever is asked by HTTP. */
  readonly optionsOf: (called: CalledUrl) => DefinedOptions;
}

/** A group whose endpoints are found, or of which somebody else tells. */
export interface Sought {
  /** The same in all processes of this gateway. */
  readonly key: string;
  /** Of the newest revision. */
  api: AskingApi;
  discovery: Discovery;
  /** Undefined until somebody has answered. */
  found: readonly FoundEndpoint[] | undefined;
  /** When the last answer came, ms since the epoch. */
  answeredMs: number | undefined;
  /** Why the last question was not answered, or what of the answer is left out. */
  problem: string | undefined;
}

/** Who asks. */
export interface Seeker {
  /** Errors: request.invalid when it asks for as many groups as it may. */
  begin(sought: Sought): void;
  /** A newer revision asks in another way, or one that was newer has gone. */
  change(sought: Sought): void;
  end(sought: Sought): void;
}

/** A claim on what is found; given back exactly once. */
export interface HeldDiscovery {
  readonly found: readonly FoundEndpoint[];
  release(): void;
}

/** What was found, told to another process. */
export interface ToldEndpoints {
  readonly key: string;
  readonly endpoints: readonly FoundEndpoint[];
}

interface Holder {
  readonly api: AskingApi;
  readonly discovery: Discovery;
  readonly onFound: (found: readonly FoundEndpoint[]) => void;
}

/** What became of a question: other endpoints than before, another problem, or nothing new. */
export interface Novelty {
  readonly isFoundNew: boolean;
  readonly isProblemNew: boolean;
}

/**
 * The groups of all APIs whose endpoints are found, with what is known of them.
 *
 * What was found stays until somebody says otherwise: who cannot be asked, or answers what nobody understands, has said nothing. It stays over
 * revisions that ask for the same as well.
 */
export class DiscoveryBoard {
  readonly #claims = new Claims<Sought, Holder>({
    follow: (sought, newest) => this.#follow(sought, newest),
    end: (sought) => this.#seeker?.end(sought),
  });
  #seeker: Seeker | undefined = undefined;
  #onNews: (sought: Sought, novelty: Novelty) => void = () => undefined;

  /** From now on somebody asks for what is wanted. Once, before anything is. */
  seekBy(seeker: Seeker, onNews: (sought: Sought, novelty: Novelty) => void): void {
    this.#seeker = seeker;
    this.#onNews = onNews;
  }

  /** onFound: others than before. Errors: those of the seeker. */
  watch(api: AskingApi, discovery: Discovery, onFound: Holder['onFound']): HeldDiscovery {
    const key = keyOf(api, discovery);
    const { subject, release } = this.#claims.add(key, { api, discovery, onFound }, () => {
      const nothing = { found: undefined, answeredMs: undefined, problem: undefined };
      const sought: Sought = { key, api, discovery, ...nothing };
      this.#seeker?.begin(sought);
      return sought;
    });
    return {
      get found() {
        return subject.found ?? [];
      },
      release,
    };
  }

  /** What came of a question. */
  take(sought: Sought, answer: Answer, nowMs: number): void {
    const problem = answer.kind === 'failed' ? answer.why : toldLeftOut(answer.leftOut);
    const isProblemNew = problem !== sought.problem;
    sought.problem = problem;
    if (answer.kind === 'failed') {
      if (isProblemNew) this.#onNews(sought, { isFoundNew: false, isProblemNew });
      return;
    }
    sought.answeredMs = nowMs;
    const isFoundNew = this.#put(sought, answer.endpoints);
    if (isFoundNew || isProblemNew) this.#onNews(sought, { isFoundNew, isProblemNew });
  }

  /** What another process found; a group that is not here is of a revision that this one does not serve. */
  told({ key, endpoints }: ToldEndpoints): void {
    const sought = this.#claims.get(key);
    if (sought !== undefined) this.#put(sought, endpoints);
  }

  /** All that are wanted. */
  [Symbol.iterator](): Iterator<Sought> {
    return this.#claims[Symbol.iterator]();
  }

  /** What a process that begins has to be told. */
  get states(): readonly ToldEndpoints[] {
    return [...this].flatMap(({ key, found }) => (found === undefined ? [] : [{ key, endpoints: found }]));
  }

  #put(sought: Sought, found: readonly FoundEndpoint[]): boolean {
    if (sought.found !== undefined && JSON.stringify(found) === JSON.stringify(sought.found)) return false;
    sought.found = found;
    for (const { onFound } of this.#claims.of(sought.key)) onFound(found);
    return true;
  }

  /** The newest revision says how it is asked for. */
  #follow(sought: Sought, { api, discovery }: Holder): void {
    const isSameWay = discovery.way === sought.discovery.way;
    sought.api = api;
    sought.discovery = discovery;
    if (!isSameWay) this.#seeker?.change(sought);
  }
}

function keyOf({ environment, id }: AskingApi, { group, subject }: Discovery): string {
  return createHash('sha256')
    .update(JSON.stringify([environment, id, group, subject]))
    .digest('base64url');
}
