import { after, before, suite, test } from 'node:test';

import type { GatewayOf, Subject } from './row.ts';
import { placed, Stage } from './stage.ts';
import { subjects, usualGateway } from './subjects.ts';

/** Subjects that one pair of gateways can serve, by what is special about it. */
const stages = new Map<GatewayOf, Subject[]>();
for (const subject of subjects) {
  const { gateway = usualGateway } = subject;
  const others = stages.get(gateway);
  if (others === undefined) stages.set(gateway, [subject]);
  else others.push(subject);
}

for (const [of, played] of stages)
  suite(played.map(({ name }) => name).join(', '), () => {
    const rows = played.flatMap(placed);
    const stage = new Stage(rows, of);
    before(() => stage.open());
    after(() => stage.close());
    for (const each of rows)
      for (const version of ['1.1', '2'] as const) {
        const { over } = each.row;
        if (over === undefined || over.version === version)
          test(`${each.name} (HTTP/${version})`, () => stage.play(each, version));
      }
  });
