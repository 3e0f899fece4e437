import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const pages = join(import.meta.dirname, '../pages');

/** Forms that nobody leaves behind: they come before the console, or the draft keeps itself. */
const exempt: ReadonlyMap<string, string> = new Map([
  ['passwords.tsx', 'whoever is asked has not signed in'],
  ['registration.tsx', 'the same'],
  ['sign-in.tsx', 'the same'],
  ['sign-in-organization.tsx', 'the same'],
  ['apis/draft/draft-bar.tsx', 'a draft keeps itself, also of whoever leaves'],
]);

test('every form asks whoever leaves it with something written: by a dialog, the bar that saves, or by itself', () => {
  const files = globSync('**/*.tsx', { cwd: pages }).toSorted();
  const forms = files.filter((file) => {
    const text = readFileSync(join(pages, file), 'utf8');
    return /<form\b|<SaveBar\b|\bSave [a-z]|>\s*Save\s*</.test(
      text.replaceAll(/^.*(?:\/\*\*|\/\/).*$/gm, ''),
    );
  });
  assert.ok(forms.length > 20, forms.join(' '));
  const silent = forms.filter(
    (file) =>
      !exempt.has(file) && !/<(?:FormDialog|SaveBar|Unsaved)\b/.test(readFileSync(join(pages, file), 'utf8')),
  );
  assert.deepEqual(silent, []);
  for (const file of exempt.keys()) assert.ok(forms.includes(file), `${file} is no form any more`);
});
