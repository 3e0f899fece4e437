import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

/*
 * What people do in the console, from beginning to end, on a real platform in a real browser: each journey is a test of its own in one of
 * the files here, and its name says what somebody does. This counts them, and says which must not go.
 */

const journeysMin = 40;
const files = globSync(['console*.browser.slow.test.ts', 'first-ten-minutes.long.test.ts'], {
  cwd: import.meta.dirname,
});

/** A name behind `test(` or `t.test(`; what other tests hang below is none, nor is a test that has others below it. */
const namePattern = /(?<![\w.])(?<inner>t\.)?test\(\s*(?<quote>['`])(?<name>.*?)\k<quote>/g;
/** Pages that are only looked at, and what is weighed. */
const noJourney = /no finding of axe|^its pages in a small window$|^the first load stays/;

interface Journey {
  readonly file: string;
  readonly name: string;
}

function journeysIn(file: string): readonly Journey[] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  const found = [...text.matchAll(namePattern)].map(({ groups }) => ({
    isInner: groups?.['inner'] !== undefined,
    name: groups?.['name'] ?? '',
  }));
  return found
    .filter(({ isInner }, at) => isInner || found[at + 1]?.isInner !== true)
    .filter(({ name }) => !noJourney.test(name))
    .map(({ name }) => ({ file: basename(file), name }));
}

/** Those that the console stands for: which of them is which, in words that its name has. */
const promised: readonly (readonly [what: string, name: RegExp])[] = [
  ['from npm start to a limited, explained API', /^from npm start to an API with a key and a limit/],
  ['an API that is created, deployed and answers', /^its path and backend: a refused deployment/],
  ['entrypoints: hosts and paths', /^hosts and paths of an API/],
  ['a gateway enrolled by the command of the page', /^a gateway on another machine is enrolled/],
  ['a draft that saves itself, with faults at its steps', /^flows are drawn: steps by mouse and keyboard/],
  ['two people who design one API', /^two who design one API/],
  ['a role that may only read', /^who may only read is shown it and changes nothing$/],
  ['keys, renewed and revoked', /^in twelve clicks from sign-in to a call with a key/],
  ['a subscription that somebody decides about', /^subscriptions wait for somebody who accepts/],
  ['one call explained', /^one call: why it was refused/],
  ['the way back to a former revision', /^a revision says what it changed/],
  ['samples, until they are removed', /^the overview says that there are samples/],
  ['somebody new, by a password that is shown once', /^somebody gets a password that is shown once/],
  ['somebody new, by an invitation', /^somebody who is invited chooses/],
  ['a second factor', /^somebody sets up an authenticator app/],
  ['by keyboard alone, to an API that answers', /^an API is created, gets a plan, is subscribed to/],
];

test('there are forty journeys through the console, each with a name of its own, and those that it stands for among them', () => {
  const all = files.flatMap(journeysIn);
  const names = all.map(({ name }) => name);
  assert.ok(names.length >= journeysMin, `${names.length} of ${journeysMin} journeys:\n${names.join('\n')}`);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  assert.deepEqual(twice, [], 'names that say of two journeys the same');
  const missing = promised.filter(([, name]) => !names.some((each) => name.test(each)));
  assert.deepEqual(
    missing.map(([what]) => what),
    [],
    'journeys that are gone',
  );
});
