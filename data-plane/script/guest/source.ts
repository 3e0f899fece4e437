import { createBase64 } from './base64.ts';
import { bind, createRandom, createResult } from './bind.ts';
import { createAttributes, createGround, dictionariesOf } from './ground.ts';
import { createLines, linesObject } from './lines.ts';
import { listOf, mapOf, wordOf } from './maps.ts';
import { firstOf, javascriptNames, jsNames, noAnswer } from './names.ts';

/**
 * What runs inside of the sandbox before a script: the functions of this folder as text, so that they are checked as all code of the house
 * is. They may name each other and what every script finds, and nothing else. A script may spoil them; what it spoils is its own run, since
 * each has a new world, and what it says is judged outside.
 *
 * Its value is `bind`.
 */
export const guestSource = `(() => {
${[
  mapOf,
  listOf,
  wordOf,
  createLines,
  linesObject,
  createAttributes,
  dictionariesOf,
  createGround,
  createBase64,
  createResult,
  createRandom,
  noAnswer,
  firstOf,
  jsNames,
  javascriptNames,
  bind,
]
  .map(String)
  .join('\n')}
return bind;
})()`;
