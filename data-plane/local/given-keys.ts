interface Given {
  readonly id: string;
  readonly api: string;
  readonly application: string;
  readonly apiKeys: readonly string[];
  readonly status: string;
}

/** API keys of subscriptions: each is one application's, and for one plan of an API, as a control plane has it. */
export class GivenKeys {
  readonly #holders = new Map<string, Given[]>();

  /** Gives back what it took. Errors: Error that names both subscriptions, and not the key. */
  take<One extends Given>(given: One): One {
    if (given.status === 'CLOSED') return given;
    for (const [index, key] of given.apiKeys.entries()) {
      const holders = this.#holders.get(key) ?? [];
      for (const { id, api, application } of holders) {
        if (id === given.id) continue;
        const where = `apiKeys[${index}] of subscription "${given.id}" is the key of "${id}" already`;
        if (application !== given.application)
          throw new Error(`${where}, which is the application "${application}"'s`);
        if (api === given.api) throw new Error(`${where}, for the same API`);
      }
      this.#holders.set(key, [...holders, given]);
    }
    return given;
  }
}
