import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../../test/kit/random.ts';
import { Dictionaries } from './dictionary.ts';

test('a change of a dictionary reaches the APIs that read its name, a new one those that read a name that none has', (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed, 0);
  const dictionaries = new Dictionaries();
  const readBy = new Map<string, ReadonlySet<string>>();
  const names = new Map<string, string>();
  const few = (): number => random.below(6);
  for (let step = 0; step < 2_000; step += 1) {
    const id = `d${few()}`;
    const api = `a${few()}`;
    const kind = random.below(3);
    if (kind === 0) {
      const read = new Set(Array.from({ length: random.below(3) }, () => `n${few()}`));
      dictionaries.use(api, read);
      readBy.set(api, read);
    } else if (kind === 1) {
      const name = `n${few()}`;
      dictionaries.set({ id, name, entries: [{ key: 'id', value: id }] });
      names.set(id, name);
    } else {
      dictionaries.delete(id);
      names.delete(id);
    }
    const held = new Set(names.values());
    assert.deepEqual(new Set(dictionaries.byName.keys()), held);
    for (const asked of [id, 'unknown']) {
      const name = names.get(asked);
      const users = [...readBy].filter(([, read]) =>
        name === undefined ? [...read].some((each) => !held.has(each)) : read.has(name),
      );
      assert.deepEqual(new Set(dictionaries.usersOf(asked)), new Set(users.map(([each]) => each)));
    }
  }
});
