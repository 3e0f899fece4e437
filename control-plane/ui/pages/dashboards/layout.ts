import type { Widget } from './questions.ts';

/** Where widgets stand: in rows of twelve columns; what other programs have laid out otherwise is brought to that. */

const columnsMax = 12;

/** Where a widget stands: its columns and rows, the first is 1. */
export interface Place {
  readonly widget: Widget;
  readonly column: number;
  readonly span: number;
  readonly row: number;
  readonly rows: number;
}

/** Widgets in reading order, each with its place. */
export function placesOf(widgets: readonly Widget[]): readonly Place[] {
  const factor = columnsMax / columnsOf(widgets);
  return widgets
    .toSorted((a, b) => a.layout.y - b.layout.y || a.layout.x - b.layout.x)
    .map((widget) => {
      const { x, y, cols, rows } = widget.layout;
      const column = Math.min(columnsMax, Math.round(x * factor) + 1);
      const span = Math.max(1, Math.min(columnsMax + 1 - column, Math.round(cols * factor)));
      return { widget, column, span, row: y + 1, rows };
    });
}

/** None that is made here is narrower; others count in four columns, or in as many as they like. */
const spanMin = 3;
const fewColumns = 4;

function columnsOf(widgets: readonly Widget[]): number {
  const needed = Math.max(1, ...widgets.map(({ layout: { x, cols } }) => x + cols));
  const isFew = needed <= fewColumns && widgets.some(({ layout: { cols } }) => cols < spanMin);
  return isFew ? needed : Math.max(needed, columnsMax);
}

const rowsOf = ({ type }: Widget): number => (type === 'stats' ? 1 : 3);

/** Widgets of given widths one after the other, from row to row. */
export function laidOut(widgets: readonly (readonly [widget: Widget, span: number])[]): Widget[] {
  let [x, y, deepest] = [0, 0, 0];
  return widgets.map(([widget, span]) => {
    if (x + span > columnsMax) [x, y, deepest] = [0, y + deepest, 0];
    const layout = { x, y, cols: span, rows: rowsOf(widget) };
    x += span;
    deepest = Math.max(deepest, layout.rows);
    return { ...widget, layout };
  });
}
