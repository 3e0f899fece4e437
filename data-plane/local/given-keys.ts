interface Given {
  readonly id: string;
  readonly application: string;
  readonly apiKeys: readonly string[];
  readonly status: string;
}

/** API keys of subscriptions: each is one application's, as a control plane has it, for as many subscriptions as it has. */
export class GivenKeys {
  readonly #holders = new Map<string, Given>();

  /** Gives back what it took. Errors: Error that names both subscriptions, and not the key. */
  take<One extends Given>(given: One): One {
    if (given.status === 'CLOSED') return given;
    for (const [index, key] of given.apiKeys.entries()) {
      const holder = this.#holders.get(key) ?? given;
      if (holder.application !== given.application)
        throw new Error(
          `apiKeys[${index}] of subscription "${given.id}" is the key of "${holder.id}" already, which is the application "${holder.application}"'s`,
        );
      this.#holders.set(key, holder);
    }
    return given;
  }
}
