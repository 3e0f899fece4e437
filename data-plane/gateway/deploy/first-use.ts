import type { Log } from '../../../proto/process/log.ts';
import type { HearRefusedLate } from './change.ts';
import type { DeployedApi } from './deployed.ts';
import { type Match, Routers } from './match.ts';
import type { buildWaiting } from './take-in.ts';

type Build = (api: DeployedApi) => ReturnType<typeof buildWaiting> | undefined;

/** Finds APIs for requests, and has one compiled that waited for its first. */
export class FirstUse {
  readonly routers: Routers<DeployedApi>;
  /** One hears it. */
  onRefusedLate: HearRefusedLate | undefined;
  readonly #build: Build;
  readonly #log: Log;

  /** `build` compiles an API and puts it in its places; undefined when its environment is gone. */
  constructor(servers: readonly string[], build: Build, log: Log) {
    this.routers = new Routers(servers);
    this.#build = build;
    this.#log = log;
  }

  /** What finds the APIs of one server. */
  matchOn(server: string): (host: string, path: string) => Match<DeployedApi> | undefined {
    const router = this.routers.on(server);
    return (host, path) => {
      let found = router.match(host, path);
      // Compiled, it waits no more; should its definition name other places, another may be found, which may wait as well.
      while (found?.target.isWaiting === true && this.#begin(found.target)) found = router.match(host, path);
      return found;
    };
  }

  /** Says whether it waits no more. */
  #begin(api: DeployedApi): boolean {
    const { nacks, count } = this.#build(api) ?? { nacks: [], count: 0 };
    for (const nack of nacks) {
      this.#log.error(
        { environment: api.environment, ...nack },
        'an API that was judged before does not compile: its paths answer 503',
      );
      this.onRefusedLate?.(api.environment, nack);
    }
    return count > 0;
  }
}
