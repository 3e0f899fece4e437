import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newcomersEnvironment } from '../processes/packed.ts';
import { tempDir } from '../temp-dir.ts';
import { runGuide } from './run-guide.ts';

test('blocks run in one shell per machine, files are written, output is compared, and ports are moved', async (t) => {
  const { port } = await runLines(t, [
    '```sh',
    'WORD=kept',
    '```',
    '```yaml',
    '# folder/a.yaml',
    'port: 8082',
    '```',
    '```sh',
    'echo $WORD; cat folder/a.yaml; echo 8082 > port; pwd',
    '```',
    '```text output',
    'kept',
    'p…: 8082',
    '```',
    '<!-- run: carry port from here to there -->',
    '```sh on=there',
    'test "$(cat port)" = 8082 && test "${WORD-none}" = none',
    '```',
    '```sh fails',
    'cat nowhere',
    '```',
    '```text output',
    'cat: nowhere: …',
    '```',
    '```sh again',
    'echo . >> tries; test $(wc -l < tries) = 2 && echo twice',
    '```',
    '```text output',
    'twice',
    '```',
    '```sh stays',
    'echo server listening on 8083; exec sleep 600',
    '```',
    '<!-- run: stop echo server -->',
  ]);
  assert.notEqual(port(8082), 8082);
});

test('what goes wrong is named with its page and line', async (t) => {
  const failing = (lines: readonly string[]) => runLines(t, ['text', '', ...lines]);
  const rejects = (lines: readonly string[], message: RegExp) => assert.rejects(failing(lines), message);
  await rejects(
    ['```sh', 'echo one', 'false', 'echo three', '```'],
    /guide\.md:4: the block failed\none\n.*guide\.md:5: false: exit code 1/,
  );
  await rejects(['```sh', 'isthmoose up', '```'], /guide\.md: line 4: isthmoose: command not found/);
  await rejects(['```sh', 'echo $UNKNOWN', '```'], /guide\.md: line 4: UNKNOWN: unbound variable/);
  await rejects(
    ['```sh', 'echo a', '```', '```text output', 'b', '```'],
    /guide\.md:4: this is not in its output: b\na/,
  );
  await rejects(['```sh fails', 'true', '```'], /guide\.md:4: the block ended with 0/);
  await rejects(['```sh stays', 'exit 3', '```'], /guide\.md:4: it ended with 3/);
});

test('a block that nobody knows is refused before anything runs', async (t) => {
  const rejects = (lines: readonly string[], message: RegExp) => assert.rejects(runLines(t, lines), message);
  await rejects(['```sh agian', '```'], /guide\.md:1: nobody knows what "agian" wants/);
  await rejects(['```json', '```'], /guide\.md:1: nobody runs a block in json/);
  await rejects(['```'], /guide\.md:1: the block has no end/);
  await rejects(['```yaml', 'a: 1', '```'], /guide\.md:1: the first line of a file is its name/);
  await rejects(['```text output', 'a', '```'], /guide\.md:1: this output has no block before it/);
  await rejects(['<!-- run: dance -->'], /guide\.md:1: nobody knows how to dance/);
});

async function runLines(t: TestContext, lines: readonly string[]) {
  const path = join(tempDir(t, 'isthmus-page'), 'guide.md');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return runGuide(t, [path], { env: newcomersEnvironment });
}
