/**
 * How far long work is: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
 */
export interface Progress {
  /** Adds done units; `label` says what is being worked on. */
  add(units: number, label?: string): void;
  /** A better total became known. */
  total(units: number): void;
  /** Ends the bar. */
  done(): void;
}

const terminalIntervalMs = 100;
const plainIntervalMs = 10_000;
const barWidth = 28;

export function startProgress(options: { title: string; total: number; unit: 'bytes' | 'items'; stream?: NodeJS.WriteStream }): Progress {
  const stream = options.stream ?? process.stderr;
  const isTerminal = stream.isTTY;
  const intervalMs = isTerminal ? terminalIntervalMs : plainIntervalMs;
  const startedMs = performance.now();
  let { total } = options;
  let done = 0;
  let shownMs = startedMs;

  const line = (): string => {
    const elapsedS = Math.max((performance.now() - startedMs) / 1_000, 0.001);
    const rate = done / elapsedS;
    const share = total > 0 ? Math.min(done / total, 1) : 1;
    const left = rate > 0 && total > done ? formatDuration((total - done) / rate) : '0s';
    const amount = `${format(done, options.unit)} of ${format(total, options.unit)}`;
    const facts = `${Math.floor(share * 100)}% ${amount}, ${format(rate, options.unit)}/s, ${left} left`;
    if (!isTerminal) return `${options.title}: ${facts}`;
    const filled = Math.round(share * barWidth);
    return `${options.title} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${facts}`;
  };
  const show = (): void => {
    stream.write(isTerminal ? `\r\u001b[K${line()}` : `${line()}\n`);
  };

  return {
    add(units) {
      done += units;
      const nowMs = performance.now();
      if (nowMs - shownMs < intervalMs) return;
      shownMs = nowMs;
      show();
    },
    total(units) {
      total = units;
    },
    done() {
      show();
      if (isTerminal) stream.write('\n');
    },
  };
}

export function format(amount: number, unit: 'bytes' | 'items'): string {
  return unit === 'bytes' ? formatBytes(amount) : Math.round(amount).toLocaleString('en');
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${index === 0 ? Math.round(value) : value.toFixed(1)} ${units[index]}`;
}

function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(whole / 3_600)}h${String(Math.floor((whole % 3_600) / 60)).padStart(2, '0')}m`;
}
