import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expressionScope } from '../../../test/kit/gateway/expression-scope.ts';
import { language } from '../language.ts';
import { shownValue, type Value } from '../values.ts';

const failed = Symbol('failed');

function worth(source: string): unknown {
  const made = language(source);
  if (made.kind !== 'compiled') return made.message;
  const came = made.evaluate(expressionScope());
  if (came.kind === 'failed') return failed;
  return came.kind === 'nothing' ? null : shownValue(came.value as Value);
}

test('dates are worth what they are worth in the reference', () => {
  const day = (text: string): string => `T(java.time.LocalDate).parse('${text}')`;
  const format = (pattern: string): string => `T(java.time.format.DateTimeFormatter).ofPattern("${pattern}")`;
  for (const [source, value] of [
    [`${day('2024-02-29')}.plusDays(1).toString()`, '2024-03-01'],
    [`'on ' + ${day('2024-02-29')}`, failed],
    [`${day('2024-02-29')}.plusYears(1).toString()`, '2025-02-28'],
    [`${day('2024-02-29')}.minusMonths(1).withDayOfMonth(1).toString()`, '2024-01-01'],
    [`${day('2024-02-29')}.getYear()`, 2024],
    [`${day('2024-02-29')}.getMonthValue()`, 2],
    [`${day('2024-02-29')}.getMonth()`, 'FEBRUARY'],
    [`${day('2024-02-29')}.getDayOfWeek()`, 'THURSDAY'],
    [`${day('2024-02-29')}.getDayOfYear()`, 60],
    [`${day('2024-02-29')}.isLeapYear()`, true],
    [`${day('2024-02-29')}.toEpochDay()`, 19_782],
    [`${day('2024-02-29')}.isBefore(${day('2024-03-01')})`, true],
    [`${day('2024-02-29')}.compareTo(${day('2024-03-01')}) < 0`, true],
    [`${day('2024-02-29')} == ${day('2024-02-29')}`, true],
    [`${day('2024-02-29')} < ${day('2024-03-01')}`, true],
    [`${day('2024-02-29')} < new java.util.Date()`, failed],
    [`${day('2024-02-29')}.equals('2024-02-29')`, false],
    [`${day('2024-02-29')}.atStartOfDay().toString()`, '2024-02-29T00:00'],
    [`${day('2024-02-29')}.format(${format('dd/MM/yyyy')})`, '29/02/2024'],
    [`${format('yyyyMMdd')}.format(${day('2024-02-29')})`, '20240229'],
    [`${day('2024-02-29')}.format(T(java.time.format.DateTimeFormatter).ISO_LOCAL_DATE)`, '2024-02-29'],
    [`T(java.time.LocalDate).parse('29.02.2024', ${format('dd.MM.yyyy')}).toString()`, '2024-02-29'],
    [`T(java.time.LocalDate).of(2024, 2, 29).toString()`, '2024-02-29'],
    [`T(java.time.LocalDateTime).of(2024, 2, 29, 23, 59, 58).plusSeconds(2).toString()`, '2024-03-01T00:00'],
    [`T(java.time.LocalDateTime).parse('2024-02-29T10:00:00').getHour()`, 10],
    [`T(java.time.ZonedDateTime).parse('2024-02-29T10:00:00+01:00').toEpochSecond()`, 1_709_197_200],
    [
      `new java.text.SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss").format(new java.util.Date(1709197200000L))`,
      '2024-02-29T09:00:00',
    ],
    [`new java.text.SimpleDateFormat('yyyy-MM-dd').parse('2024-02-29').getTime()`, 1_709_164_800_000],
    [`new java.util.Date(1L).before(new java.util.Date(2L))`, true],
    [`T(System).currentTimeMillis() > 1700000000000L`, true],
    [`new java.util.Date().getTime() > 1700000000000L`, true],
    [`T(java.time.LocalDate).now().getYear() > 2023`, true],
    [`T(Math).PI > 3.14 && T(Integer).MAX_VALUE == 2147483647`, true],
    // What is no date, or asks a kind of date for what it has not.
    [`${day('2023-02-29')}`, failed],
    [`${day('2024-02-29')}.getHour()`, failed],
    [`${day('2024-02-29')}.plusHours(1)`, failed],
    [`${day('2024-02-29')}.getTime()`, failed],
    [`${day('2024-02-29')}.format('yyyy')`, failed],
    [`${day('2024-02-29')}.plusDays(99999999999L)`, failed],
    [`${format('y'.repeat(101))}`, failed],
    [`${format('MMM')}`, failed],
  ] as const)
    assert.deepEqual(worth(source), value, source);
});

test('nothing of the library is reached but by the methods that stand in the list', () => {
  const day = `T(java.time.LocalDate).parse('2024-02-29')`;
  for (const name of ['constructor', '__proto__', 'hashCode', '_year', 'plus', 'with', 'query'])
    assert.match(String(worth(`${day}.${name}()`)), /unknown to this version|Symbol\(failed\)/, name);
  assert.equal(worth(`${day}.constructor`), failed);
  assert.equal(worth(`${day}['_year']`), failed);
  assert.match(
    String(worth('T(java.time.Instant).now()')),
    /^T\(java\.time\.Instant\) is unknown to this version/,
  );
  assert.match(String(worth('new java.io.File("x")')), /unknown to this version/);
});
