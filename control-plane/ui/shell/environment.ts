import type { Schemas } from '../api/client.ts';

type Environment = Pick<Schemas['Environment'], 'id' | 'name' | 'hrids'>;

/** The environment of an id, or of a name in addresses. */
export const oneOf = (all: readonly Environment[] | undefined, env: string): Environment | undefined =>
  all?.find(({ id, hrids }) => id === env || hrids.includes(env));

/** Whether its name, or that in addresses, says that it is production: `Production`, `prod-eu`, but neither `Pre-production` nor `Products`. */
export const isProduction = ({ name, hrids }: Pick<Environment, 'name' | 'hrids'>): boolean =>
  [name, ...hrids].some((each) => /^prod(uction)?(?![a-z])/i.test(each.trim()));
