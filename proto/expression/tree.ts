/** An expression, read. `at` counts characters from the beginning of its source. */
export type Node = { readonly at: number } & (
  | { readonly kind: 'constant'; readonly value: null | boolean | string | number | bigint }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'type'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: 'new'; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: 'property'; readonly of: Node; readonly name: string; readonly isSafe: boolean }
  | { readonly kind: 'index'; readonly of: Node; readonly index: Node; readonly isSafe: boolean }
  | {
      readonly kind: 'method';
      readonly of: Node;
      readonly name: string;
      readonly args: readonly Node[];
      readonly isSafe: boolean;
    }
  | {
      readonly kind: 'select';
      readonly of: Node;
      readonly which: 'all' | 'first' | 'last' | 'project';
      readonly by: Node;
      readonly isSafe: boolean;
    }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: Node, value: Node])[] }
  | { readonly kind: 'not' | 'minus' | 'plus'; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Node; readonly right: Node }
  | { readonly kind: 'choice'; readonly when: Node; readonly chosen: Node; readonly otherwise: Node }
  | { readonly kind: 'elvis'; readonly of: Node; readonly otherwise: Node }
);

/** Operators between two sides, one spelling each. */
export type Operator =
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '&&'
  | '||'
  | 'matches'
  | 'between'
  | 'instanceof';
