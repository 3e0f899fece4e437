import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerOptions } from '../exchange.ts';
import { Sweep } from '../socket/sweep.ts';
import { addressText, type Member, ServerState } from './state.ts';

test('a connection that throws when the server stops keeps no other one open, and the server not either', async () => {
  const thrown: unknown[] = [];
  const sweep = new Sweep((error) => void thrown.push(error));
  const options: Partial<ServerOptions> = { onExchange: () => undefined };
  const state = new ServerState(options as ServerOptions, sweep);
  const ended: string[] = [];
  const member = (name: string, isBroken: boolean): Member => {
    const act = (what: string) => {
      if (isBroken) throw new Error(what);
      ended.push(`${name} ${what}`);
    };
    const each: Member = {
      remoteAddress: '192.0.2.1',
      retire: () => act('retires'),
      wire: { destroy: () => (act('is cut'), state.leave(each)) },
      onSweep: () => undefined,
      onThrown: () => undefined,
    };
    state.join(each);
    return each;
  };
  member('one', true);
  member('two', false);
  // Long enough for a machine on which one turn of the event loop may take a while.
  await state.drain(500, 0);
  assert.deepEqual(ended, ['two retires', 'two is cut']);
  assert.deepEqual(
    thrown.map((error) => (error as Error).message),
    ['retires', 'is cut'],
  );
  assert.equal(state.members.size, 0);
});

test('an IPv4 address that a listener for both families saw is one', () => {
  for (const [seen, said] of [
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '::1'],
    ['2001:db8::ffff:c000:207', '2001:db8::ffff:c000:207'],
    [undefined, ''],
  ] as const)
    assert.equal(addressText(seen), said);
});
