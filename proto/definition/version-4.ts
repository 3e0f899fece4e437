import { type Json, type OpenedApi, type SourceApi } from './opened.ts';
import { plansInOrder } from './plans.ts';

/** Takes an API of version 4 out of its payload, export or resource and gives version and plans one form. */
export function openVersion4(source: SourceApi): OpenedApi {
  const { definitionVersion: _version, gravitee: _gravitee, ...rest } = source.api;
  const plans = source.plans === undefined ? undefined : plansInOrder(source);
  const body: Json = {
    ...rest,
    gravitee: '4.0.0',
    ...(plans === undefined ? {} : { plans: plans.map(({ plan }) => plan) }),
  };
  return { body, pathOf: pathsOf(source.at, plans?.map(({ path }) => path) ?? []), notes: [], faults: [] };
}

/** Places of plans are named by the list or map that they came from, the others by the holder of the API. */
function pathsOf(at: string, planPaths: readonly string[]): OpenedApi['pathOf'] {
  return (path) => {
    const plan = /^plans\[(\d+)\](.*)$/s.exec(path);
    if (plan === null) return at === '' || path.startsWith('plans') ? path : `${at}.${path}`;
    return `${planPaths[Number(plan[1])] ?? `plans[${plan[1]}]`}${plan[2] ?? ''}`;
  };
}
