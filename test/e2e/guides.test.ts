import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readGuide } from '../kit/guides/guide.ts';

const root = join(import.meta.dirname, '../..');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const guides = globSync('docs/guides/*.md', { cwd: root }).toSorted();

test('every guide is linked from README and page of documents, and run as a whole', () => {
  const runner = textOf('test/e2e/guides.long.test.ts');
  assert.ok(guides.length >= 6);
  for (const path of guides) {
    assert.ok(textOf('docs/README.md').includes(`(${path.slice('docs/'.length)})`), path);
    assert.ok(textOf('README.md').includes(`(${path})`), path);
    assert.ok(runner.includes(`'${path}'`), path);
    assert.ok(readGuide(path).length > 0, path);
  }
});

test('every link from one of our pages to another leads somewhere, its chapter too', () => {
  const pages = globSync('{*.md,{docs,deploy,data-plane,control-plane,bridge,shipper,proto,test}/**/*.md}', {
    cwd: root,
  });
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter(({ path, chapter }) => !leadsSomewhere(path, chapter))
      .map(({ written }) => `${page}: ${written}`),
  );
  assert.deepEqual(broken, []);
});

function linksOf(
  page: string,
): readonly { readonly path: string; readonly chapter: string; readonly written: string }[] {
  const text = textOf(page)
    .replaceAll(/^```[^]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((written) => !/^[a-z]+:/.test(written))
    .map((written) => {
      const [file = '', chapter = ''] = written.split('#');
      return { path: file === '' ? page : join(dirname(page), file), chapter, written };
    });
}

function leadsSomewhere(path: string, chapter: string): boolean {
  if (!existsSync(join(root, path))) return false;
  return chapter === '' || chaptersOf(textOf(path)).includes(chapter);
}

/** As a browser of repositories names them: small letters, no signs, a dash for a blank. */
function chaptersOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
