import type { ExpressionScope } from './scope.ts';
import type { Value } from './values.ts';

/** What an evaluation has in hand. */
export interface Frame {
  readonly scope: ExpressionScope;
  /** The item that a selection looks at. */
  readonly item: Value;
}

/** An expression as a closure. */
export type Evaluate = (frame: Frame) => Value;
