import type { Schemas } from '../api/client.ts';

/** Whether its name, or that in addresses, says that it is production: `Production`, `prod-eu`, but neither `Pre-production` nor `Products`. */
export const isProduction = ({ name, hrids }: Pick<Schemas['Environment'], 'name' | 'hrids'>): boolean =>
  [name, ...hrids].some((each) => /^prod(uction)?(?![a-z])/i.test(each.trim()));
