import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checked, stateNames, untried } from './states.ts';

/** What `+` (a check that succeeds) and `-` make of an endpoint, one after the other. */
function statesOf(checks: string, successThreshold: number, failureThreshold: number): string {
  let standing = untried;
  return checks
    .split('')
    .map((check) => {
      standing = checked(standing, check === '+', { successThreshold, failureThreshold });
      return stateNames[standing.state];
    })
    .join(' ');
}

test('an endpoint is down after so many failures in a row, and up after so many successes; one check against that begins anew', () => {
  const [up, down] = ['UP', 'DOWN'];
  const [falling, rising] = ['TRANSITIONALLY_DOWN', 'TRANSITIONALLY_UP'];
  for (const [checks, thresholds, states] of [
    ['+--', [2, 2], [up, falling, down]],
    ['-+--', [2, 2], [falling, up, falling, down]],
    ['--++', [2, 2], [falling, down, rising, up]],
    ['--+-++', [2, 2], [falling, down, rising, down, rising, up]],
    ['-+', [1, 1], [down, up]],
    ['---+++', [3, 3], [falling, falling, down, rising, rising, up]],
    ['-+++', [3, 1], [down, rising, rising, up]],
  ] as const)
    assert.equal(statesOf(checks, thresholds[0], thresholds[1]), states.join(' '), checks);
});
