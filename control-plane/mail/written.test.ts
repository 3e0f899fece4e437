import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, type LetterId, letters } from './letters.ts';
import { plainText } from './plain-text.ts';
import { templateFaults, write } from './written.ts';

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
    const { subject, html, text } = write(letters[id], anyFacts(id), { nowMs: 0 });
    assert.ok(subject.length > 0 && text.length > 10, id);
    assert.doesNotMatch(html, /<(user|inviter|registration|reset)/i, id);
    assert.deepEqual(templateFaults(letters[id], letters[id]), [], id);
  }
});

test('an override is judged with the place of its fault, and one that fails with these facts gives way to the default', () => {
  const letter = letters.USER_PASSWORD_RESET;
  assert.deepEqual(
    templateFaults(letter, { title: '${user.displayNme}', content: '<p>\n${nobody}</p>' }).map(
      ({ path, message }) => `${path}: ${message}`,
    ),
    [
      'title: line 1, character 7: user has no displayNme; did you mean displayName?',
      'content: line 2, character 3: nobody is not given and nowhere assigned; a template is given user, resetPasswordUrl',
    ],
  );
  const facts = anyFacts('USER_PASSWORD_RESET');
  const templates = { title: 'Hi ${user.email}', content: '<p>${user.email?html} ${user.email}</p>' };
  const made = write(letter, facts, { nowMs: 0, templates });
  assert.equal(made.subject, 'Hi <user.email>');
  assert.ok(made.html.includes('<p>&lt;user.email&gt; &lt;user.email&gt;</p>'));
  const failing = write(letter, facts, {
    nowMs: 0,
    templates: { ...templates, content: '${user.email?number}' },
  });
  assert.match(failing.problem ?? '', /content: /);
  assert.equal(failing.subject, 'Choose a new password');
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
