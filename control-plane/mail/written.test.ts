import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithinCpu } from '../../test/kit/pace.ts';
import { type HookFacts, hookGiven, hooks, letterOf } from './hooks.ts';
import { type Facts, type LetterId, letters } from './letters.ts';
import { plainText } from './plain-text.ts';
import { templateOf } from './templates.ts';
import { attempt, write } from './written.ts';

/** Facts for any letter: each text says where it stands. */
function anyFacts(id: LetterId): Facts {
  return Object.fromEntries(
    Object.entries(letters[id].given).map(([name, members]) => [
      name,
      members.length === 0
        ? `<${name}>`
        : Object.fromEntries(members.map((member) => [member, `<${name}.${member}>`])),
    ]),
  );
}

test('every letter is written from what it is given alone, and escapes all of it', () => {
  for (const id of Object.keys(letters) as LetterId[]) {
    const { subject, html, text } = write(letters[id], anyFacts(id), 0);
    assert.ok(subject.length > 0 && text.length > 10, id);
    assert.doesNotMatch(html, /<(user|inviter|registration|reset)/i, id);
  }
});

test('every hook is told from what it is given, by mail and in the console, also of what is gone', () => {
  const facts = (text: string): HookFacts =>
    Object.fromEntries(
      Object.entries(hookGiven).map(([name, members]) => [
        name,
        Object.fromEntries(members.map((member) => [member, text])),
      ]),
    ) as HookFacts;
  for (const hook of hooks) {
    const telling = templateOf({ scope: hook.scope, hook: hook.id, type: 'PORTAL' });
    assert.ok(telling !== undefined, hook.id);
    for (const text of ['<b>', '']) {
      const { subject: title, text: message } = write(telling, facts(text), 0);
      assert.ok(title.length > 5 && message.length > 10, hook.id);
      assert.doesNotMatch(write(letterOf(hook), facts(text), 0).html, /<b>/, hook.id);
    }
  }
});

test('the text of a mail has paragraphs, items and where links lead, and nothing of scripts', () => {
  assert.equal(
    plainText(
      '<p>Hello   <b>Ada</b>,</p><script>x()</script><ul><li>one</li><li>two<br>lines</li></ul><p><a href="https://a.b/?x=1&amp;y=2">Go</a></p>',
    ),
    'Hello Ada,\n\n- one\n\n- two\nlines\n\nGo: https://a.b/?x=1&y=2\n',
  );
});

test('the text of HTML that is nested as deep as it is long is made all the same', () => {
  assert.match(plainText(`${'<b>'.repeat(5_000)}deep`), /deep/);
});

test('what a template makes of little is no mail when it is longer than one', () => {
  const made = (chars: number) =>
    attempt(
      { ...letters.USER_REGISTRATION, content: `<#list 1..${chars / 64} as n>${'x'.repeat(64)}</#list>` },
      {},
      0,
    );
  assert.equal(made(262_144).kind, 'value');
  assert.deepEqual(made(262_208), {
    kind: 'failed',
    part: 'content',
    why: 'it becomes longer than 262144 characters',
  });
});

test('a template with endless work ends in its time, in title and content together, and the letter fails', () => {
  const letter = letters.USER_REGISTRATION;
  const facts = anyFacts('USER_REGISTRATION');
  const loops: readonly string[] = [
    '<#list 1..99999 as a><#list 1..99999 as b></#list></#list>',
    '<#list 1..99999 as a><#assign x = a * a * a></#list>'.repeat(200),
    '<#macro m><@m/><@m/></#macro><@m/>',
    '<#assign s = "ab"><#list 1..99 as a><#assign s = s + s></#list>',
    '<#attempt><#list 1..99999 as a><#list 1..99999 as b></#list></#list><#recover></#attempt>'.repeat(50),
  ];
  for (const loop of loops)
    for (const hostile of [
      { ...letter, title: loop },
      { ...letter, content: loop },
    ]) {
      const before = process.cpuUsage();
      assert.equal(attempt(hostile, facts, 0).kind, 'failed', loop);
      const { user, system } = process.cpuUsage(before);
      isWithinCpu((user + system) / 1_000, { msMax: 1_000, what: loop.slice(0, 80) });
    }
  // Seven tenths of what may be done are allowed in either, and in both together they are not.
  const most = (count: number): string => `<#list 1..${count} as a></#list>x`.repeat(20);
  const kindOf = (title: string, content: string) => attempt({ ...letter, title, content }, facts, 0).kind;
  let [allowed, refused] = [1, 99_999];
  assert.equal(kindOf(most(refused), 'x'), 'failed');
  while (refused - allowed > 100) {
    const middle = Math.floor((allowed + refused) / 2);
    if (kindOf(most(middle), 'x') === 'value') allowed = middle;
    else refused = middle;
  }
  const part = most(Math.floor(allowed * 0.7));
  assert.deepEqual(
    [kindOf(part, 'x'), kindOf('x', part), kindOf(part, part)],
    ['value', 'value', 'failed'],
    'title and content share one budget',
  );
});
