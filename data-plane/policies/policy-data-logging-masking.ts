import type { PolicyFactory } from './policy.ts';

/** Says what logs hide: nothing of it runs while a request passes. */
export const dataLoggingMasking: PolicyFactory<'policy-data-logging-masking'> = (
  { headerRules, bodyRules },
  { place },
) => ({
  masks: {
    of: place.phase,
    headers: new Map(headerRules.map(({ path, replacer }) => [path.trim().toLowerCase(), replacer])),
    bodies: bodyRules.map(({ path, type, regex, replacer }) => ({
      path: path === '' ? undefined : path,
      regex: regex === '' ? undefined : regex,
      named: type === undefined || type === 'CUSTOM' ? undefined : type,
      replacer,
    })),
  },
});
