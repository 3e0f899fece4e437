import assert from 'node:assert/strict';
import test from 'node:test';

import { Fault } from '../faults/fault.ts';
import { createLog } from './log.ts';

function capture() {
  const lines: string[] = [];
  const log = createLog({
    name: 'gateway',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    log,
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>,
  };
}

test('a line is JSON with level, ISO time, name and message', () => {
  const { log, last, text } = capture();
  log.debug('below the level');
  assert.equal(text(), '');
  log.info({ port: 8082 }, 'listening');
  assert.match(String(last()['time']), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    [last()['level'], last()['name'], last()['port'], last()['msg']],
    ['info', 'gateway', 8082, 'listening'],
  );
});

test('no line says one name twice, whatever is logged, in children too', () => {
  const { log, last, text } = capture();
  const fields = { level: 'debug', time: 1, pid: 2, name: 'n', msg: 'm', level_: 'kept', port: 8082 };
  const child = log.child({ gateway: 'a', name: 'own' });
  log.info(fields, 'said');
  const { level, name, msg, port, ...rest } = last();
  assert.deepEqual([level, name, msg, port, rest['pid']], ['info', 'gateway', 'said', 8082, process.pid]);
  assert.deepEqual(
    [rest['level__'], rest['level_'], rest['time_'], rest['pid_'], rest['name_'], rest['msg_']],
    ['debug', 'kept', 1, 2, 'n', 'm'],
  );
  child.info({ ...fields, gateway: 'b' }, 'said');
  assert.deepEqual([last()['gateway'], last()['gateway_'], last()['name_']], ['a', 'b', 'own']);
  child.child({ gateway: 'c' }).info({ gateway_: 'd' }, 'said');
  assert.deepEqual([last()['gateway'], last()['gateway_'], last()['gateway__']], ['a', 'c', 'd']);
  for (const line of text().trim().split('\n')) {
    const names = [...line.matchAll(/[{,]"(\w+)":/g)].map(([, each]) => each);
    assert.deepEqual(names, [...new Set(names)]);
  }
});

test('secrets are masked by name at any depth, in any case, in children too', () => {
  const { log, text, last } = capture();
  log.child({ apiKey: 'SECRET' }).info({
    headers: { Authorization: 'SECRET', cookie: 'SECRET', 'X-Gravitee-Api-Key': 'SECRET', accept: 'kept' },
    list: [{ deep: { password: 'SECRET', clientSecret: 'SECRET', enrolmentToken: 'SECRET' } }],
    keyId: 'kept',
  });
  assert.doesNotMatch(text(), /SECRET/);
  assert.equal(last()['keyId'], 'kept');
});

test('a password in a URL and a bearer credential are masked inside texts and errors', () => {
  const { log, text } = capture();
  const error = new Error('cannot reach http://user:SECRET@proxy:3128 with Bearer SECRETSECRET');
  log.warn({ err: error, url: 'postgres://isthmus:SECRET@db/isthmus' }, 'no');
  assert.doesNotMatch(text(), /SECRET/);
  assert.match(text(), /user:\*\*\*@proxy/);
});

test('a key in a target is masked in messages, fields, errors and fault details', () => {
  const lines: string[] = [];
  const log = createLog({
    name: 'gateway',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
    secretParameters: ['mine'],
  });
  const uri = '/x?api%2Dkey=SECRET&mine=SECRET';
  const details = [{ path: 'uri', message: `no such ${uri}` }];
  log.warn(
    { uri, err: new Fault('request.invalid', { internal: `GET ${uri}`, details }) },
    `GET ${uri} failed`,
  );
  log.child({ uri }).info(`GET %s: ${uri}`, uri);
  log.error({ list: [{ err: new Error(`at ${uri}`) }] });
  assert.equal(lines.length, 3);
  assert.doesNotMatch(lines.join(''), /SECRET/);
});

test('a fault shows code, internal text and causes; bytes and cycles do not flood the line', () => {
  const { log, last, text } = capture();
  const cause = new Error('ECONNREFUSED');
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  log.error({
    err: new Fault('outbound.unreachable', { internal: 'to bridge', cause }),
    body: Buffer.alloc(9_999),
    loop,
  });
  const err = last()['err'] as Record<string, unknown>;
  assert.equal(err['code'], 'outbound.unreachable');
  assert.equal(err['internal'], 'to bridge');
  assert.equal((err['cause'] as Record<string, unknown>)['message'], 'ECONNREFUSED');
  assert.equal(last()['body'], '<9999 bytes>');
  assert.ok(text().length < 5_000);
});
