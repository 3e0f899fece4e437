import { systemClock } from '../../proto/process/clock.ts';
import { say } from '../terminal.ts';
import type { Patience } from './doctor.ts';

/** Whoever waits at a terminal reads what for; findings alone go to standard output. */
export const aloud: Patience = { clock: systemClock, onWait: say };
