import type { ConstructGroup } from './constructs.ts';

const operation = 'shift';

/** What a shift may hold. */
export const shiftConstructs: ConstructGroup = {
  title: 'shift',
  about:
    'Walks through what came in and moves each value to where a rule says. What no rule names is dropped.',
  rows: [
    ['name', operation, { a: 'x' }, { a: 1, b: 2 }, { x: 1 }],
    ['path', operation, { a: 'x.y.z' }, { a: 1 }, { x: { y: { z: 1 } } }],
    ['inner rules', operation, { a: { b: 'x' } }, { a: { b: 1, c: 2 } }, { x: 1 }],
    ['`*`', operation, { '*': 'all.&' }, { a: 1, b: 2 }, { all: { a: 1, b: 2 } }],
    ['`name-*`', operation, { 'tag-*': 'tags.&(0,1)' }, { 'tag-x': 1, y: 2 }, { tags: { x: 1 } }],
    ['`*-*`', operation, { '*-*': '&(0,2).&(0,1)' }, { 'a-b': 1 }, { b: { a: 1 } }],
    [
      'a name before a star',
      operation,
      { a: 'first', '*': 'rest.&' },
      { b: 2, a: 1 },
      { rest: { b: 2 }, first: 1 },
    ],
    ['the longer pattern first', operation, { '*': 'any', 'x-*': 'x' }, { 'x-1': 1, y: 2 }, { x: 1, any: 2 }],
    ['`a|b`', operation, { 'a|b': 'x' }, { b: 2, c: 3 }, { x: 2 }],
    ['`\\\\*`', operation, { 'a\\*': 'x\\.y' }, { 'a*': 1, ab: 2 }, { 'x.y': 1 }],
    ['several places', operation, { a: ['x', 'y.z'] }, { a: 1 }, { x: 1, y: { z: 1 } }],
    ['two in one place', operation, { a: 'x', b: 'x' }, { b: 2, a: 1 }, { x: [1, 2] }],
    ['null for nowhere', operation, { a: null, '*': '&' }, { a: 1, b: 2 }, { b: 2 }],
    ['items of a list', operation, { '*': { id: 'ids' } }, [{ id: 1 }, { id: 2 }], { ids: [1, 2] }],
    ['an index', operation, { list: { '1': 'second' } }, { list: ['a', 'b'] }, { second: 'b' }],
    ['`[]`', operation, { a: 'x[]' }, { a: 1 }, { x: [1] }],
    ['`[1]`', operation, { a: 'x[1]' }, { a: 1 }, { x: [null, 1] }],
    [
      '`[&1]`',
      operation,
      { '*': { id: '[&1].key' } },
      [{ id: 'a' }, { id: 'b' }],
      [{ key: 'a' }, { key: 'b' }],
    ],
    [
      '`[#2]`',
      operation,
      { '*': { $: '[#2].key', '@': '[#2].value' } },
      { a: 1, b: 2 },
      [
        { key: 'a', value: 1 },
        { key: 'b', value: 2 },
      ],
    ],
    [
      '`[@(1,n)]`',
      operation,
      { '*': { v: 'x[@(1,n)]' } },
      [
        { n: 1, v: 'b' },
        { n: 0, v: 'a' },
      ],
      { x: ['a', 'b'] },
    ],
    ['`&1`', operation, { a: { '*': { v: '&2.&1' } } }, { a: { b: { v: 1 } } }, { a: { b: 1 } }],
    ['`&` in a key', operation, { '*': { '&': 'own' } }, { a: { a: 1, b: 2 } }, { own: 1 }],
    ['`$`', operation, { '*': { $: 'names' } }, { a: 1, b: 2 }, { names: ['a', 'b'] }],
    [
      '`$1`, `$(0,1)`',
      operation,
      { 'x-*': { y: { $1: 'key', '$(1,1)': 'part' } } },
      { 'x-1': { y: 2 } },
      { key: 'x-1', part: '1' },
    ],
    ['`@`', operation, { a: { '@': 'whole', b: 'b' } }, { a: { b: 1 } }, { whole: { b: 1 }, b: 1 }],
    [
      '`@(2,name)`',
      operation,
      { a: { '*': { '@(2,name)': 'names.&1' } } },
      { name: 'n', a: { b: 1 } },
      { names: { b: 'n' } },
    ],
    [
      'rules below `@(1,x)`',
      operation,
      { a: { '@(1,b)': { '*': 'x.&' } } },
      { a: 1, b: { c: 2 } },
      { x: { c: 2 } },
    ],
    [
      'a value for a name',
      operation,
      { '*': { v: '@(1,k)' } },
      [
        { k: 'x', v: 1 },
        { k: 'y', v: 2 },
      ],
      { x: 1, y: 2 },
    ],
    ['a reference in a reference', operation, { '*': { v: '@(2,&1.k)' } }, { a: { k: 'x', v: 1 } }, { x: 1 }],
    ['`#text`', operation, { '#dev': 'stage', a: 'x' }, { a: 1 }, { stage: 'dev', x: 1 }],
    [
      'a value that matches',
      operation,
      { on: { true: { '#yes': 'state' }, '*': { '#no': 'state' } } },
      { on: true },
      { state: 'yes' },
    ],
    ['nothing that matches', operation, { z: 'z' }, { a: 1 }, null],
  ],
};
