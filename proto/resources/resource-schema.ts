import type { z } from 'zod';

/**
 * What everybody but the gateway needs to know of a resource: something that a definition names once and policies or plans use. The gateway
 * adds the code (data-plane/resources).
 *
 * config: strict zod object with the reference's field names and defaults; it is also the form in the console.
 * serves: what it can be used for; who names a resource for something else is refused at load.
 */
export interface ResourceSchema<Id extends string = string, Config extends z.ZodType = z.ZodType> {
  readonly id: Id;
  readonly title: string;
  /** What it is for, in one sentence. */
  readonly summary: string;
  readonly serves: readonly ResourceUse[];
  readonly config: Config;
  /** Markdown for the reference and the console. */
  readonly docs: string;
}

/** What a resource can be used for: to ask what a token stands for, to keep something, to ask whether a user's password is his, about the user of a token, or for a text. */
export type ResourceUse = 'introspection' | 'cache' | 'authentication' | 'userInfo' | 'content';

/** Declares a resource; keeps the literal types of its id and configuration, which is made when somebody first asks for it. */
export function defineResource<const Id extends string, Config extends z.ZodType>(
  declared: Omit<ResourceSchema<Id, Config>, 'config'> & { readonly config: () => Config },
): ResourceSchema<Id, Config> {
  let made: Config | undefined;
  return {
    ...declared,
    get config() {
      return (made ??= declared.config());
    },
  };
}
