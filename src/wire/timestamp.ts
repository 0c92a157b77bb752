/**
 * Times on the wire: HTTP dates, ISO 8601 and epoch seconds, read strictly and written fast.
 * Source: RFC 9110 section 5.6.7 (all three HTTP forms are read, one is written), RFC 3339.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 1 <= year <= 9999: outside, neither form can be written. */
const TIME_MS_MIN = Date.parse('0001-01-01T00:00:00.000Z');
const TIME_MS_MAX = Date.parse('9999-12-31T23:59:59.999Z');

const IMF = /^(?:[A-Za-z]{3}), (\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})? (?:GMT|UTC|[+-]0000)$/;
const RFC850 = /^(?:[A-Za-z]{6,9}), (\d{2})-([A-Za-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^(?:[A-Za-z]{3}) ([A-Za-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** A Date, or undefined when the text is no HTTP date. */
export function parseHttpDate(text: string): Date | undefined {
  let match = IMF.exec(text);
  if (match) return utc(Number(match[3]), match[2]!, match[1]!, match[4]!, match[5]!, match[6]!);
  match = RFC850.exec(text);
  if (match) {
    // Two digits, and no clock at hand: POSIX's rule, 1970 to 2069.
    const year = Number(match[3]);
    return utc(year + (year < 70 ? 2000 : 1900), match[2]!, match[1]!, match[4]!, match[5]!, match[6]!);
  }
  match = ASCTIME.exec(text);
  if (match) return utc(Number(match[6]), match[1]!, match[2]!, match[3]!, match[4]!, match[5]!);
  return undefined;
}

/** A Date, or undefined. A date alone is its midnight, a missing zone is UTC; anything finer than a millisecond is cut. */
export function parseIsoDate(text: string): Date | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] = match;
  const date = checkedUtc(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)));
  if (!date || zone === 'Z') return date;
  const offsetMinutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return new Date(date.getTime() - (zone[0] === '-' ? -offsetMinutes : offsetMinutes) * 60_000);
}

/** Seconds since 1970, fraction allowed. */
export function parseEpochSeconds(seconds: number): Date | undefined {
  const timeMs = Math.round(seconds * 1000);
  return Number.isFinite(seconds) && timeMs >= TIME_MS_MIN && timeMs <= TIME_MS_MAX ? new Date(timeMs) : undefined;
}

/** `Mon, 23 Nov 2026 10:00:00 GMT`. */
export function formatHttpDate(date: Date): string {
  const timeMs = date.getTime();
  if (!(timeMs >= TIME_MS_MIN && timeMs <= TIME_MS_MAX)) return date.toUTCString();
  return `${httpDays.textOf(timeMs, date)}${clockTime(timeMs)} GMT`;
}

/** `2026-11-23T10:00:00.000Z`. */
export function formatIsoMillis(date: Date): string {
  const timeMs = date.getTime();
  if (!(timeMs >= TIME_MS_MIN && timeMs <= TIME_MS_MAX)) return date.toISOString();
  const ms = timeMs - Math.floor(timeMs / 1000) * 1000;
  return `${isoDays.textOf(timeMs, date)}${clockTime(timeMs)}${ms < 10 ? '.00' : ms < 100 ? '.0' : '.'}${ms}Z`;
}

/** `2026-11-23T10:00:00Z`. */
export function formatIsoSeconds(date: Date): string {
  return `${formatIsoMillis(date).slice(0, 19)}Z`;
}

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

/**
 * What stands before the time of day, by day: a listing shows a thousand times of a few days, and the platform's own
 * formatting is ten times as slow as this look-up. Small, and emptied when full.
 */
class DayTexts {
  readonly #texts = new Map<number, string>();
  readonly #format: (date: Date) => string;

  constructor(format: (date: Date) => string) {
    this.#format = format;
  }

  textOf(timeMs: number, date: Date): string {
    const day = Math.floor(timeMs / DAY_MS);
    let text = this.#texts.get(day);
    if (text === undefined) {
      if (this.#texts.size >= 256) this.#texts.clear();
      this.#texts.set(day, (text = this.#format(date)));
    }
    return text;
  }
}

const isoDays = new DayTexts((date) => date.toISOString().slice(0, 11));
const httpDays = new DayTexts((date) => date.toUTCString().slice(0, 17));

/** `10:00:00` */
function clockTime(timeMs: number): string {
  const second = Math.floor((timeMs - Math.floor(timeMs / DAY_MS) * DAY_MS) / 1000);
  return `${TWO_DIGITS[Math.floor(second / 3600)]}:${TWO_DIGITS[Math.floor(second / 60) % 60]}:${TWO_DIGITS[second % 60]}`;
}

function utc(year: number, month: string, day: string, hour: string, minute: string, second: string): Date | undefined {
  const monthIndex = MONTHS.indexOf(month);
  return monthIndex < 0 ? undefined : checkedUtc(year, monthIndex, Number(day), Number(hour), Number(minute), Number(second), 0);
}

/** Date.UTC rolls 31 February over into March; a caller's mistake must not become another day. */
function checkedUtc(year: number, monthIndex: number, day: number, hour: number, minute: number, second: number, ms: number): Date | undefined {
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, day);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, ms);
  return date;
}
