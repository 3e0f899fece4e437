import type { ConstructGroup, ConstructRow } from './constructs.ts';

/** A function with what it is written as, what it is given under `a`, and what it writes under `a`; undefined where it writes nothing. */
type FunctionRow = readonly [name: string, call: string, given: unknown, gives: unknown];

const rows: readonly FunctionRow[] = [
  ['toLower', '=toLower', 'ABC', 'abc'],
  ['toUpper', '=toUpper', ['a', 1], ['A', 1]],
  ['trim', '=trim', ' a ', 'a'],
  ['concat', "=concat(@(1,a),'-',1.5,true)", 'x', 'x-1.5true'],
  ['join', "=join(', ',@(1,a))", ['a', null, '', 'b'], 'a, b'],
  ['split', "=split('[,;]\\s*',@(1,a))", 'a, b;c,', ['a', 'b', 'c']],
  ['substring', '=substring(@(1,a),1,3)', 'abcd', 'bc'],
  ['leftPad', "=leftPad(@(1,a),5,'0')", '42', '00042'],
  ['rightPad', "=rightPad(@(1,a),5,'.')", '42', '42...'],
  ['min', '=min(@(1,a))', [3, '2', 'x'], 2],
  ['max', '=max(@(1,a),7)', 3, 7],
  ['abs', '=abs', ['-3', -1.5, 'x'], [3, 1.5, 'x']],
  ['avg', '=avg', [1, '2', 'x', 6], 3],
  ['intSum', '=intSum', [1, '2', 3.9], 6],
  ['longSum', '=longSum', [1, 3000000000], 3000000001],
  ['doubleSum', '=doubleSum', [1.5, '2.25'], 3.75],
  ['intSubtract', '=intSubtract(@(1,a),2)', 5, 3],
  ['longSubtract', '=longSubtract(@(1,a),2)', 5, 3],
  ['doubleSubtract', '=doubleSubtract(@(1,a),0.5)', 2, 1.5],
  ['divide', '=divide(@(1,a),4)', 10, 2.5],
  ['divideAndRound', '=divideAndRound(2,@(1,a),3)', 10, 3.33],
  ['toInteger', '=toInteger', '12.7', 12],
  ['toLong', '=toLong', '12', 12],
  ['toDouble', '=toDouble', '1.5', 1.5],
  ['toBoolean', '=toBoolean', 'TRUE', true],
  ['toString', '=toString', { x: [1, null] }, '{x=[1, null]}'],
  ['size', '=size', [1, 2], 2],
  ['squashNulls', '=squashNulls', { x: null, y: [null] }, { y: [null] }],
  ['recursivelySquashNulls', '=recursivelySquashNulls', { x: null, y: [null, 1] }, { y: [1] }],
  ['squashDuplicates', '=squashDuplicates', [1, '1', 1, { x: 1 }, { x: 1 }], [1, '1', { x: 1 }]],
  ['firstElement', '=firstElement', [1, 2], 1],
  ['lastElement', '=lastElement', [1, 2], 2],
  ['elementAt', '=elementAt(1,@(1,a))', ['x', 'y'], 'y'],
  ['toList', '=toList', 'x', ['x']],
  ['sort', '=sort', [3, 1, 2], [1, 2, 3]],
  ['noop', '=noop', 'x', 'x'],
  ['isPresent', '=isPresent', null, null],
  ['notNull', '=notNull', 'x', 'x'],
  ['isNull', '=isNull', null, null],
];

/** The functions of modify. */
export const functionConstructs: ConstructGroup = {
  title: 'Functions of modify',
  about:
    "Without parentheses they are given what stands there. Several arguments, or one list, are what they work on; those for one value do it to each. Arguments: `'text'`, a number, `true`, `false`, `@(1,name)`. What a function cannot do anything with writes nothing. `split` takes a pattern, which is matched in linear time.",
  rows: rows.map(([name, call, given, gives]): ConstructRow => [
    name,
    'modify-overwrite-beta',
    { a: call },
    { a: given },
    { a: gives },
  ]),
};
