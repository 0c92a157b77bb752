import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHttpDate, formatIsoMillis, formatIsoSeconds, parseEpochSeconds, parseHttpDate, parseIsoDate } from './timestamp.ts';

// Source: RFC 9110 section 5.6.7; RFC 3339.

test('HTTP dates in all three forms', () => {
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994', 'Sun, 06 Nov 1994 08:49:37 +0000']) {
    assert.equal(parseHttpDate(text)?.toISOString(), '1994-11-06T08:49:37.000Z', text);
  }
  for (const text of ['', 'yesterday', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', '1994-11-06']) assert.equal(parseHttpDate(text), undefined, text);
});

test('ISO 8601', () => {
  const cases = [
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T10:00:00.1239Z', '2026-11-23T10:00:00.123Z'],
    ['2026-11-23T10:00:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T10:00:00+01:30', '2026-11-23T08:30:00.000Z'],
    ['2026-11-23T10:00:00-0100', '2026-11-23T11:00:00.000Z'],
    ['0099-01-01', '0099-01-01T00:00:00.000Z'],
  ] as const;
  for (const [text, iso] of cases) assert.equal(parseIsoDate(text)?.toISOString(), iso);
  for (const text of ['', '2026', '2026-02-30', '2026-13-01', '2026-11-23T24:00:00Z', '2026-11-23T10:60:00Z', '2026-11-23 10:00:00', '+012026-11-23', 'Z']) assert.equal(parseIsoDate(text), undefined, text);
});

test('epoch seconds', () => {
  assert.equal(parseEpochSeconds(1798859045.678)?.getTime(), 1798859045678);
  assert.equal(parseEpochSeconds(-1)?.getTime(), -1000);
  for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, 1e18, -1e18]) assert.equal(parseEpochSeconds(seconds), undefined);
});

test('written as the platform writes them, whatever the day', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), (date) => {
      assert.equal(formatIsoMillis(date), date.toISOString());
      assert.equal(formatHttpDate(date), date.toUTCString());
    }),
  );
  assert.equal(formatIsoMillis(new Date(-1)), '1969-12-31T23:59:59.999Z');
  assert.throws(() => formatIsoMillis(new Date(Number.NaN)), RangeError);
});

test('written', () => {
  const date = new Date('2026-11-23T10:00:00.120Z');
  assert.deepEqual([formatHttpDate(date), formatIsoMillis(date), formatIsoSeconds(date)], ['Mon, 23 Nov 2026 10:00:00 GMT', '2026-11-23T10:00:00.120Z', '2026-11-23T10:00:00Z']);
});
