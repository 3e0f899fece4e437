import { after, before, suite, test } from 'node:test';

import type { GatewayOf, Subject } from './row.ts';
import { placed, Stage } from './stage.ts';

/** Plays subjects before one pair of gateways: each row over HTTP/1.1 and over HTTP/2, unless it says which. */
export function play(subjects: readonly Subject[], of: GatewayOf): void {
  suite(subjects.map(({ name }) => name).join(', '), () => {
    const rows = subjects.flatMap(placed);
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
}
