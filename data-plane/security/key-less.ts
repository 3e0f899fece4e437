import { isChosen, passed, type PlanSecurity, type SecurityKind } from './security.ts';

/** No credential: whoever comes is let in, under no subscription. */
export const keyLess: SecurityKind<'key-less'> = {
  order: 1_000,
  recordedAs: 'KEY_LESS',
  isOpen: true,
  create(): PlanSecurity<true, undefined> {
    return {
      present: () => true,
      admit: (_nothing, plan, knock) =>
        isChosen(plan, knock, () => [])
          ? { kind: 'admitted', plan, subscription: undefined, proof: undefined, keyHash8: undefined }
          : passed,
      review: () => Infinity,
    };
  },
};
