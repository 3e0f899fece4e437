/** States of an endpoint that is checked, with the reference's numbers for them. */
export const healthStates = { down: 0, transitionallyDown: 1, transitionallyUp: 2, up: 3 } as const;
/** See {@link healthStates}. */
export type HealthState = keyof typeof healthStates;

/** How an operator and a record read them. */
export const stateNames: Readonly<Record<HealthState, string>> = {
  down: 'DOWN',
  transitionallyDown: 'TRANSITIONALLY_DOWN',
  transitionallyUp: 'TRANSITIONALLY_UP',
  up: 'UP',
};

/** Whether requests may go there: one that was down gets none before it is up. */
export function isAvailable(state: HealthState): boolean {
  return state === 'up' || state === 'transitionallyDown';
}

/** How many checks in a row it takes to change. */
export interface Thresholds {
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** How an endpoint is, and how many checks in a row have said something else. */
export interface Standing {
  readonly state: HealthState;
  readonly against: number;
}

/** An endpoint that nobody has checked yet is up. */
export const untried: Standing = { state: 'up', against: 0 };

/** What a check makes of it. */
export function checked({ state, against }: Standing, isSuccess: boolean, thresholds: Thresholds): Standing {
  const isUp = isAvailable(state);
  if (isSuccess === isUp) return { state: isUp ? 'up' : 'down', against: 0 };
  const said = against + 1;
  const { successThreshold, failureThreshold } = thresholds;
  if (said >= (isSuccess ? successThreshold : failureThreshold))
    return { state: isSuccess ? 'up' : 'down', against: 0 };
  return { state: isSuccess ? 'transitionallyUp' : 'transitionallyDown', against: said };
}
