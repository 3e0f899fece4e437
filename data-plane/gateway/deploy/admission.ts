import type { DeployedTenant } from './deployments.ts';
import type { RecordTarget } from '../call/records.ts';

/** Which environments are served: each from when its records have a place to go to, so that none is answered without. */
export class Admission {
  /** In the order in which they came. */
  served: readonly DeployedTenant[] = [];
  readonly #records: RecordTarget | undefined;
  readonly #onServed: (environment: string) => void;
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(records: RecordTarget | undefined, onServed: (environment: string) => void) {
    this.#records = records;
    this.#onServed = onServed;
  }

  /** Takes in a new environment; it is served at once when nothing has to be made for it. */
  take({ organization, environment }: DeployedTenant): void {
    const admit = (): void => {
      this.#waiting.delete(environment);
      this.served = [...this.served, { organization, environment }];
      this.#onServed(environment);
    };
    const ready = this.#records?.prepare({ organization, environment });
    if (ready === undefined) admit();
    else this.#waiting.set(environment, ready.then(admit));
  }

  isServed(environment: string): boolean {
    return !this.#waiting.has(environment);
  }

  /** Resolves when an environment that was taken in is served. */
  async of(environment: string): Promise<void> {
    await this.#waiting.get(environment);
  }

  /** Resolves when all are. */
  async all(): Promise<void> {
    await Promise.all(this.#waiting.values());
  }
}
