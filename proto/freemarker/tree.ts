import type { Decimal } from './decimals.ts';

/** Where something stands in the template, counted in characters from 0. */
interface Placed {
  readonly at: number;
}

/** An expression, read. */
export type Node = Placed &
  (
    | { readonly kind: 'literal'; readonly value: string | boolean | Decimal }
    /** A text with `${...}` in it. */
    | { readonly kind: 'joined'; readonly parts: readonly (string | Node)[] }
    | { readonly kind: 'list'; readonly items: readonly Node[] }
    | { readonly kind: 'hash'; readonly entries: readonly (readonly [name: Node, value: Node])[] }
    | { readonly kind: 'name'; readonly name: string }
    /** `.now`, `.error` and their like. */
    | { readonly kind: 'special'; readonly name: string }
    | { readonly kind: 'member'; readonly of: Node; readonly name: string }
    | { readonly kind: 'index'; readonly of: Node; readonly key: Node }
    | { readonly kind: 'call'; readonly of: Node; readonly args: readonly Node[] }
    | { readonly kind: 'built-in'; readonly of: Node; readonly name: string; readonly args: readonly Node[] }
    | { readonly kind: 'default'; readonly of: Node; readonly other: Node | undefined }
    | { readonly kind: 'exists'; readonly of: Node }
    | { readonly kind: 'not'; readonly of: Node }
    | { readonly kind: 'sign'; readonly of: Node; readonly by: '+' | '-' }
    | { readonly kind: 'binary'; readonly by: Operator; readonly left: Node; readonly right: Node }
    | RangeNode
    /** In parentheses, which matters to `!` and `??`. */
    | { readonly kind: 'grouped'; readonly of: Node }
    | LambdaNode
  );

/** `1..5`, `1..<5`, `1..*5`, `1..` */
interface RangeNode {
  readonly kind: 'range';
  readonly from: Node;
  readonly to: Node | undefined;
  readonly by: 'to' | 'before' | 'length';
}

/** `x -> x.name`, an argument of some built-ins. */
interface LambdaNode {
  readonly kind: 'lambda';
  readonly name: string;
  readonly body: Node;
}

export type Operator = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';

/** A parameter of a macro or a function; of what it is when it is not given. */
export interface Parameter {
  readonly name: string;
  readonly otherwise: Node | undefined;
}

/** `<#macro>` or `<#function>`. */
export interface Definition {
  readonly name: string;
  readonly isFunction: boolean;
  readonly parameters: readonly Parameter[];
  /** Takes all others: `rest...`. */
  readonly rest: string | undefined;
  readonly body: Body;
}

/** What stands in a block, in its order. */
export type Body = readonly Element[];

/** Lines that it stands on, counted from 1; and what it is for white space around it. */
interface Laid extends Placed {
  readonly firstLine: number;
  readonly lastLine: number;
}

/** A text; `trimmed` is what is left when lines that hold tags alone are dropped. */
export interface TextElement extends Laid {
  readonly kind: 'text';
  readonly text: string;
  readonly startsLine: boolean;
  trimmed: string;
}

/** A piece of a template. */
export type Element = TextElement | (Laid & Instruction);

type Instruction =
  | { readonly kind: 'comment' }
  | {
      readonly kind: 'output';
      readonly of: Node;
      readonly digits: readonly [min: number, max: number] | undefined;
    }
  | { readonly kind: 'if'; readonly branches: readonly Branch[] }
  | {
      readonly kind: 'list';
      readonly of: Node;
      readonly names: LoopNames | undefined;
      readonly body: Body;
      readonly otherwise: Body | undefined;
    }
  | { readonly kind: 'items'; readonly names: LoopNames; readonly body: Body }
  | { readonly kind: 'sep'; readonly body: Body }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'switch'; readonly of: Node; readonly cases: readonly Case[] }
  | {
      readonly kind: 'assign';
      readonly where: 'assign' | 'global' | 'local';
      readonly name: string;
      readonly by: '=' | '+=' | '-=' | '*=' | '/=' | '%=' | '++' | '--';
      readonly value: Node | undefined;
    }
  | {
      readonly kind: 'capture';
      readonly where: 'assign' | 'global' | 'local';
      readonly name: string;
      readonly body: Body;
    }
  | { readonly kind: 'define'; readonly definition: Definition }
  | {
      readonly kind: 'macro call';
      readonly of: Node;
      readonly args: readonly Node[];
      readonly named: readonly (readonly [name: string, value: Node])[];
      readonly loopNames: readonly string[];
      readonly body: Body | undefined;
    }
  | { readonly kind: 'nested'; readonly args: readonly Node[] }
  | { readonly kind: 'return'; readonly value: Node | undefined }
  | { readonly kind: 'attempt'; readonly body: Body; readonly recover: Body }
  | { readonly kind: 'compress'; readonly body: Body }
  | { readonly kind: 'plain'; readonly body: Body }
  | { readonly kind: 'setting'; readonly name: string; readonly value: Node }
  | { readonly kind: 'stop'; readonly message: Node | undefined };

/** One variable of a loop, or the name and the value of an entry. */
export interface LoopNames {
  readonly name: string;
  readonly valueName: string | undefined;
}

/** Of `<#if>`: the last may have no test. */
export interface Branch {
  readonly test: Node | undefined;
  readonly body: Body;
}

/** Of `<#switch>`: `case` goes on into the next, `on` does not; the default has no values. */
export interface Case {
  readonly values: readonly Node[] | undefined;
  readonly goesOn: boolean;
  readonly body: Body;
}

/** A template, read. */
export interface Tree {
  readonly body: Body;
  readonly definitions: readonly Definition[];
  /** Whether something in it may ask for the body of the request or the answer. */
  readonly readsContent: boolean;
}
