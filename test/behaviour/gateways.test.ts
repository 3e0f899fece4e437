import { play } from './play.ts';
import type { GatewayOf, Subject } from './row.ts';
import { subjects } from './subjects.ts';

/** Subjects that need a gateway of their own; those that need the same one share it. */
const groups = new Map<GatewayOf, Subject[]>();
for (const subject of subjects) {
  const { gateway } = subject;
  if (gateway === undefined) continue;
  const others = groups.get(gateway);
  if (others === undefined) groups.set(gateway, [subject]);
  else others.push(subject);
}

for (const [gateway, played] of groups) play(played, gateway);
