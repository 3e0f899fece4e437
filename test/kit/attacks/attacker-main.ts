import { constants, setPriority } from 'node:os';

import { attacks, type AttackName, startInterimFlood } from './attacks.ts';

/**
 * A hostile client and a hostile backend in a process of their own, so that they take no time from those who measure.
 *
 * Arguments: attack, port to attack, port of the backend. Goes on until it is killed.
 */
// On a machine of its own it would take no processor from whom it attacks.
setPriority(constants.priority.PRIORITY_LOW);
const [name = '', port = '', hostilePort = ''] = process.argv.slice(2);
await startInterimFlood(Number(hostilePort));
attacks[name as AttackName]({ port: Number(port) });
process.stdout.write('begun\n');
