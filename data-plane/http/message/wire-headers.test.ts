import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kinds } from './field-kind.ts';
import { Fields, parseFields } from './fields.ts';
import { Random } from '../../../test/kit/random.ts';
import { PlainHeaders } from '../conformance/plain-headers.ts';
import { createWireHeaders, WireHeaders, wireHeadersOf } from './wire-headers.ts';

/** A list over `lines`, as a parser makes it. */
function received(lines: string): WireHeaders {
  const text = `${lines}\r\n`;
  const fields = new Fields();
  const bytes = Buffer.from(text, 'latin1');
  assert.equal(
    parseFields(bytes, 0, bytes.length, fields, 0, { headerBytesMax: 10_000, headersMax: 100 }),
    bytes.length,
  );
  return new WireHeaders(text, fields);
}

const linesOf = (headers: WireHeaders): string[] => {
  const lines: string[] = [];
  headers.forEach((name, value) => lines.push(`${name}: ${value}`));
  return lines;
};

test('look-ups ignore case, keep order, and give values without blanks', () => {
  const headers = received('X-B: 1\r\nx-a:2\r\nX-b:\t 3 \t\r\nEmpty:\r\n');
  assert.equal(headers.get('x-b'), '1');
  assert.deepEqual(headers.getAll('x-b'), ['1', '3']);
  assert.equal(headers.get('empty'), '');
  assert.equal(headers.get('x-c'), undefined);
  assert.deepEqual(headers.getAll('x-c'), []);
  assert.equal(headers.has('x-a'), true);
  assert.equal(headers.size, 4);
  assert.deepEqual(linesOf(headers), ['X-B: 1', 'x-a: 2', 'X-b: 3', 'Empty: ']);
});

test('a value that is set stands in the place of the first and takes the others away', () => {
  const headers = received('A: 1\r\nB: 2\r\na: 3\r\n');
  headers.append('A', '4');
  headers.set('a', 'new');
  assert.deepEqual(linesOf(headers), ['a: new', 'B: 2']);
  assert.equal(headers.size, 2);
  assert.equal(headers.forwardable(), 'a: new\r\nB: 2\r\n');
});

test('what is added twice and set once is there once', () => {
  const headers = createWireHeaders();
  headers.append('X', '1');
  headers.append('x', '2');
  headers.set('X', '3');
  headers.set('Y', '4');
  assert.equal(headers.forwardable(), 'X: 3\r\nY: 4\r\n');
});

test('what is deleted is gone, wherever it stood', () => {
  const headers = received('A: 1\r\nB: 2\r\n');
  headers.append('a', '3');
  assert.equal(headers.delete('a'), true);
  assert.equal(headers.delete('a'), false);
  assert.equal(headers.has('a'), false);
  assert.equal(headers.size, 1);
  headers.set('A', 'back');
  assert.equal(headers.forwardable(), 'B: 2\r\nA: back\r\n');
});

test('hop-by-hop lines, framing and what Connection names stay here; Host goes on whatever Connection says', () => {
  const headers = received(
    'Host: h\r\nConnection: X-Secret, host\r\nKeep-Alive: 5\r\nX-Secret: s\r\nContent-Length: 3\r\nTE: gzip\r\n' +
      'Upgrade: x\r\nProxy-Connection: y\r\nHTTP2-Settings: z\r\nExpect: 100-continue\r\nX-Open: o\r\n',
  );
  headers.append('Transfer-Encoding', 'chunked');
  assert.equal(headers.forwardable(), 'Host: h\r\nX-Open: o\r\n');
});

test('what a received Connection names is gone at once; what is set later goes on', () => {
  const headers = received(
    'Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\ncOnNeCtIoN: close , ,\tX-B,Date\r\nDate: now\r\nX-C: 3\r\n',
  );
  assert.deepEqual(
    ['x-a', 'x-b', 'x-c', 'date'].map((name) => headers.get(name)),
    [undefined, undefined, '3', undefined],
  );
  assert.equal(headers.mayHave(kinds.date), false);
  assert.equal(headers.size, 3);
  headers.set('X-A', 'ours');
  headers.append('x-b', 'ours');
  assert.equal(headers.forwardable(), 'X-C: 3\r\nX-A: ours\r\nx-b: ours\r\n');
});

test('what stands in quotes is no name, and a Connection that is set later names nothing', () => {
  const headers = received('Connection: "x-a"\r\nX-A: 1\r\n');
  headers.set('Connection', 'X-A');
  assert.equal(headers.forwardable(), 'X-A: 1\r\n');
});

test('framing that Connection names is still there for who reads it', () => {
  const headers = received(
    'Connection: content-length, transfer-encoding, te, upgrade\r\nContent-Length: 3\r\nTE: trailers\r\nUpgrade: u\r\n',
  );
  assert.deepEqual(
    ['content-length', 'te', 'upgrade'].map((name) => headers.get(name)),
    ['3', 'trailers', 'u'],
  );
});

test('a received name with _ goes when its twin with - is set or removed; it stays beside others', () => {
  const lines = 'X_Forwarded_For: evil\r\nX_Claim-A: evil\r\nX_Other: o\r\n';
  const headers = received(lines);
  headers.set('X-Forwarded-For', '1.2.3.4');
  assert.equal(headers.delete('x-claim-a'), false);
  assert.equal(headers.forwardable(), 'X_Other: o\r\nX-Forwarded-For: 1.2.3.4\r\n');
  assert.equal(received(lines).forwardable(), lines);
});

test('so does a name with any other mark, one after the other', () => {
  for (const mark of "!#$%&'*+.^_`|~") {
    const headers = received(`X${mark}User: evil\r\nX-Other: o\r\n`);
    headers.set('X-User', 'ours');
    assert.equal(headers.forwardable(), 'X-Other: o\r\nX-User: ours\r\n', mark);
    const trailers = received(`X${mark}Real-IP: evil\r\nX${mark}User: evil\r\nX-Other: o\r\n`);
    headers.strip(trailers);
    assert.equal(trailers.forwardable(), 'X-Other: o\r\n', mark);
  }
  assert.equal(received('X.A: 1\r\n').forwardable(), 'X.A: 1\r\n');
});

test('untouched lines go on byte for byte; blanks that servers disagree about do not', () => {
  assert.equal(received('a:1\r\nB: 2\r\nC: \xe9\r\n').forwardable(), 'a:1\r\nB: 2\r\nC: \xe9\r\n');
  assert.equal(received('a:1\r\nB:  2\t\r\nConnection: close\r\n').forwardable(), 'a: 1\r\nB: 2\r\n');
});

test('trailers hold nothing that was set or removed, there or not, nor what was not to stay', () => {
  const trailers =
    'X-Set: evil\r\nX_Set: evil\r\nX-Gone: evil\r\nX_Absent: evil\r\nVia: evil\r\nX_Real-IP: evil\r\nX-Other: o\r\n';
  const strip = (change: (headers: WireHeaders) => void): string => {
    const headers = received('Transfer-Encoding: chunked\r\nX-Gone: 1\r\n');
    change(headers);
    const rest = received(trailers);
    headers.strip(rest);
    return rest.forwardable();
  };
  assert.equal(
    strip((headers) => {
      headers.set('X-Set', 'ours');
      headers.delete('x-gone');
      headers.delete('x-absent');
    }),
    'X-Other: o\r\n',
  );
  assert.equal(
    strip((headers) => {
      headers.keepOnly(new Set(['x-gone', 'x-other']));
      headers.keepOnly(new Set(['x-gone', 'x-absent']));
    }),
    'X-Gone: evil\r\n',
  );
});

test('a value or name that would be more than one line is refused', () => {
  const headers = createWireHeaders();
  for (const value of ['a\r\nX: b', 'a\nb', 'a\0', '\u010d', '\x7f'])
    assert.throws(() => headers.set('X', value), TypeError, JSON.stringify(value));
  for (const name of ['', 'a b', 'a:', 'a\r\n', '\u00e4'])
    assert.throws(() => headers.append(name, 'x'), TypeError, JSON.stringify(name));
  assert.equal(headers.size, 0);
});

test('only a list of the gateway itself closes the connection', () => {
  const own = createWireHeaders();
  own.set('Connection', 'close');
  assert.equal(own.closes, true);
  assert.equal(received('Connection: close\r\n').closes, false);
});

test('a list of another engine is taken line by line, its Connection left behind; what would be more than one line is refused', () => {
  const own = received('A: 1\r\n');
  assert.equal(wireHeadersOf(own), own, 'ours is not copied');
  const lines = [
    ['x-b', '1'],
    ['Connection', 'close'],
    ['te', 'trailers'],
    ['X-b', '2'],
  ] as const;
  const copy = wireHeadersOf(new PlainHeaders(lines));
  assert.equal(copy.forwardable(), 'x-b: 1\r\nX-b: 2\r\n');
  assert.equal(copy.closes, false);
  assert.equal(copy.mayHave(kinds.te), true);
  for (const line of [
    [':path', '/'],
    ['x', 'a\r\ny: b'],
  ] as const)
    assert.throws(() => wireHeadersOf(new PlainHeaders([line])), TypeError, line[0]);
});

test('whatever is set, added and removed in whatever order, the list says what a plain array would', () => {
  const seed = Date.now() % 1_000_000;
  const random = new Random(seed, 1);
  for (let round = 0; round < 300; round += 1) {
    // Names of one length, and of lengths that share a bit.
    const names = ['A', 'b', 'A'.repeat(33), 'C-3', 'x-y'] as const;
    let model = Array.from({ length: random.below(4) }, (_, at): readonly [string, string] => [
      random.pick(names),
      `r${at}`,
    ]);
    const headers = received(model.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
    const told = [`seed ${seed}`, JSON.stringify(model)];
    for (let step = 0; step < 12; step += 1) {
      const name = random.pick(names);
      const value = `s${step}`;
      const lowerName = name.toLowerCase();
      const isOther = (line: readonly [string, string]): boolean => line[0].toLowerCase() !== lowerName;
      const kind = random.pick(['set', 'append', 'delete'] as const);
      told.push(`${kind} ${name}`);
      const first = model.findIndex((line) => !isOther(line));
      if (kind === 'append' || (kind === 'set' && first === -1)) model = [...model, [name, value]];
      else if (kind === 'delete') model = model.filter(isOther);
      else
        model = model
          .map((line, at) => (at === first ? ([name, value] as const) : line))
          .filter((line, at) => at === first || isOther(line));
      if (kind === 'delete') assert.equal(headers.delete(lowerName), first !== -1, told.join('; '));
      else headers[kind](name, value);
      const all = model.filter((line) => !isOther(line)).map((line) => line[1]);
      assert.equal(
        headers.forwardable(),
        model.map((line) => `${line[0]}: ${line[1]}\r\n`).join(''),
        told.join('; '),
      );
      assert.deepEqual(headers.getAll(lowerName), all, told.join('; '));
      assert.equal(headers.get(lowerName), all[0], told.join('; '));
      assert.equal(headers.has(lowerName), all.length > 0, told.join('; '));
      assert.equal(headers.size, model.length, told.join('; '));
      const lines: string[] = [];
      headers.forEach((line, said) => lines.push(`${line}: ${said}`));
      assert.deepEqual(
        lines,
        model.map((line) => line.join(': ')),
        told.join('; '),
      );
      const spelled: string[] = [];
      headers.forEachName((line) => spelled.push(line));
      assert.deepEqual(
        spelled,
        model.map(([line]) => line),
        told.join('; '),
      );
    }
  }
});

test('a value that was good once lets no other one pass', () => {
  const headers = createWireHeaders();
  headers.set('X-Again', 'good');
  headers.set('X-Again', 'good');
  for (const value of ['good\r\nX: y', 'g\0od']) {
    assert.throws(() => headers.set('X-Again', value), TypeError);
    assert.throws(() => headers.set('X-Again', value), TypeError, 'nor itself');
  }
  assert.equal(headers.forwardable(), 'X-Again: good\r\n');
});
