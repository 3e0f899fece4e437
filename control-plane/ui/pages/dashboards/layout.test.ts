import assert from 'node:assert/strict';
import { test } from 'node:test';
import { laidOut, placesOf } from './layout.ts';
import type { Widget } from './questions.ts';

const widget = (id: string, layout: Widget['layout'], type: Widget['type'] = 'stats'): Widget => ({
  id,
  title: id,
  type,
  layout,
  request: { type: 'measures', timeRange: { from: '', to: '' }, metrics: [{ name: 'HTTP_REQUESTS' }] },
});
const at = (x: number, y: number, cols: number): Widget['layout'] => ({ x, y, cols, rows: 1 });

test('widgets stand in reading order, in twelve columns', () => {
  const places = placesOf([
    widget('low', at(0, 2, 12)),
    widget('right', at(6, 0, 6)),
    widget('left', at(0, 0, 6)),
  ]);
  assert.deepEqual(
    places.map(({ widget: { id }, column, span, row }) => [id, column, span, row]),
    [
      ['left', 1, 6, 1],
      ['right', 7, 6, 1],
      ['low', 1, 12, 3],
    ],
  );
});

test('what was laid out in four columns, or in a hundred, is brought to twelve', () => {
  const four = placesOf([widget('a', at(0, 0, 1)), widget('b', at(1, 0, 3))]);
  assert.deepEqual(
    four.map(({ column, span }) => [column, span]),
    [
      [1, 3],
      [4, 9],
    ],
  );
  const hundred = placesOf([widget('a', at(0, 0, 50)), widget('b', at(99, 0, 1))]);
  assert.deepEqual(
    hundred.map(({ column, span }) => [column, span]),
    [
      [1, 6],
      [12, 1],
    ],
  );
});

test('widgets that are laid out fill rows, and the next row begins below the deepest', () => {
  const laid = laidOut([
    [widget('a', at(0, 0, 1)), 6],
    [widget('b', at(0, 0, 1), 'pie'), 6],
    [widget('c', at(0, 0, 1)), 4],
  ]);
  assert.deepEqual(
    laid.map(({ layout: { x, y, cols, rows } }) => [x, y, cols, rows]),
    [
      [0, 0, 6, 1],
      [6, 0, 6, 3],
      [0, 3, 4, 1],
    ],
  );
  assert.equal(placesOf(laid).find(({ widget: { id } }) => id === 'b')?.span, 6);
});
