import type { StepDefinition } from '../../../proto/model/api.ts';
import type { SharedPolicyGroupDefinition } from '../../../proto/model/api/shared-policy-group.ts';

/** The shared policy groups of an environment, and which APIs are made of which. */
export class SharedGroups {
  readonly #groups = new Map<string, SharedPolicyGroupDefinition>();
  /** Also of groups that are not there. */
  readonly #users = new Map<string, Set<string>>();
  readonly #used = new Map<string, ReadonlySet<string>>();

  ids(): Iterable<string> {
    return this.#groups.keys();
  }

  get(id: string): SharedPolicyGroupDefinition | undefined {
    return this.#groups.get(id);
  }

  set(group: SharedPolicyGroupDefinition): void {
    this.#groups.set(group.id, group);
  }

  delete(id: string): void {
    this.#groups.delete(id);
  }

  /** APIs that have a step for the group. */
  usersOf(id: string): Iterable<string> {
    return this.#users.get(id) ?? [];
  }

  /** Says which groups an API is made of from now on. */
  use(api: string, groups: ReadonlySet<string>): void {
    for (const group of this.#used.get(api) ?? []) {
      const users = this.#users.get(group);
      users?.delete(api);
      if (users?.size === 0) this.#users.delete(group);
    }
    if (groups.size === 0) this.#used.delete(api);
    else this.#used.set(api, groups);
    for (const group of groups) this.#users.set(group, (this.#users.get(group) ?? new Set()).add(api));
  }
}

/** How one API looks groups up while it is compiled, and what came of it. */
export class GroupsInUse {
  /** Ids of all that it has a step for. */
  readonly ids = new Set<string>();
  /** Steps that refuse, since what they stand for is not there. */
  readonly doubts: { readonly path: string; readonly message: string }[] = [];
  readonly #groups: Pick<SharedGroups, 'get'>;

  constructor(groups: Pick<SharedGroups, 'get'>) {
    this.#groups = groups;
  }

  /** The steps of a group; undefined where the step has to refuse. */
  stepsOf(
    id: string,
    { phase, at }: { readonly phase: 'request' | 'response'; readonly at: string },
  ): readonly StepDefinition[] | undefined {
    this.ids.add(id);
    const group = this.#groups.get(id);
    if (group?.phase === phase) return group.steps;
    const why =
      group === undefined
        ? 'is not deployed here'
        : `is for the ${group.phase} phase and stands in the ${phase} phase`;
    const message = `the shared policy group "${id}" ${why}: whoever reaches this step is refused with SHARED_POLICY_GROUP_MISSING`;
    this.doubts.push({ path: at, message });
    return undefined;
  }
}
