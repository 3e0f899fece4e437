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

test('connections from one /64 of IPv6 are of one source, and those that end make room', () => {
  const limits = { connectionsMax: 10, connectionsPerSourceMax: 2 };
  const state = new ServerState({ limits } as ServerOptions, new Sweep(() => undefined));
  const [one, two] = ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6'].map((remoteAddress) => {
    const member: Member = {
      remoteAddress,
      retire: () => undefined,
      wire: { destroy: () => undefined },
      onSweep: () => undefined,
      onThrown: () => undefined,
    };
    assert.equal(state.admits(remoteAddress), true);
    state.join(member);
    return member;
  });
  assert.equal(state.admits('2001:db8:1:2::7'), false);
  assert.equal(state.admits('2001:db8:1:3::7'), true);
  for (const member of [one, two]) if (member !== undefined) state.leave(member);
  assert.equal(state.admits('2001:db8:1:2::7'), true);
});
