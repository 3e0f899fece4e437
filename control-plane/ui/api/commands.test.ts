import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { parse as parseYaml, stringify } from 'yaml';
import { commandsOf, type Form, formsOf } from './commands.ts';
import { answeredId, type RecordedCall } from './recorded.ts';

const around = { origin: 'http://localhost:8083', yaml: stringify };
const hostile = 'it\'s $HOME `id` $(id) "x" \\ 天\nEOF\nend';
const call = (path: string, body?: object, method = 'POST'): RecordedCall => ({
  method,
  path,
  body: body === undefined ? undefined : JSON.stringify(body),
  isJson: true,
});
const apis = '/management/v2/environments/DEFAULT/apis';
const made = call(apis, { name: hostile });
const plan = call(`${apis}/${answeredId(1)}/plans`, { name: hostile, of: answeredId(1) });

/** Runs lines in a shell in which curl and isthmus say what they were given, and answer with an id. */
function runs(text: string): readonly string[] {
  const said = `says() { { printf '%s\\037' "$@"; if [ "\${!#}" != nothing ]; then cat; fi; printf '\\0'; } >&2; echo '{"id":"real-1"}'; }
curl() { says curl "$@" < /dev/stdin; }
isthmus() { says isthmus "$@" < /dev/stdin | if [[ "$*" == *--field* ]]; then echo real-1; else cat; fi; }
`;
  const { stderr, status } = spawnSync('bash', ['-c', `${said}${text}`], {
    input: '',
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: '/root', ISTHMUS_TOKEN: 'token' },
  });
  assert.equal(status, 0, stderr);
  return stderr.split('\0').slice(0, -1);
}

for (const form of ['curl', 'cli', 'yaml'] as const)
  test(`lines by ${form} hold whatever was written, and a later one names what the first made`, () => {
    const [first = '', second = '', ...more] = runs(commandsOf([made, plan], form, around));
    assert.deepEqual(more, []);
    assert.deepEqual(
      bodyOf(first, form),
      form === 'yaml' ? { kind: 'api', name: hostile } : { name: hostile },
    );
    const expected = { name: hostile, of: 'real-1' };
    assert.deepEqual(bodyOf(second, form), form === 'yaml' ? { kind: 'plan', ...expected } : expected);
    const place = form === 'yaml' ? '\u001F--api\u001Freal-1\u001F' : '/apis/real-1/plans\u001F';
    assert.ok(second.includes(place), second);
  });

test('what makes no document is written as a command, and what is no JSON by curl alone', () => {
  assert.deepEqual(formsOf([made, plan]), ['curl', 'cli', 'yaml']);
  assert.deepEqual(formsOf([call(`${apis}/x/_start`)]), ['curl', 'cli']);
  assert.deepEqual(formsOf([call(apis, {}, 'PUT')]), ['curl', 'cli']);
  assert.deepEqual(formsOf([{ ...made, isJson: false }]), ['curl']);
  assert.deepEqual(formsOf([]), []);
});

test('a path with a quote is one word, and a call without a body reads nothing', () => {
  const path = `${apis}/it's?label=a b`;
  assert.match(
    commandsOf([call(path)], 'cli', around),
    /^isthmus call POST '\/v2\/environments\/DEFAULT\/apis\/it'\\''s\?label=a b'$/,
  );
  const text = commandsOf(
    [{ ...call(path), body: 'https://example.com/a.json', isJson: false }],
    'curl',
    around,
  );
  assert.match(text, /text\/plain[\s\S]*\nhttps:\/\/example\.com\/a\.json\nEOF$/);
});

function bodyOf(said: string, form: Form): unknown {
  const text = said.slice(said.lastIndexOf('\u001F') + 1);
  if (form !== 'yaml') return JSON.parse(text);
  return parseYaml(text);
}
