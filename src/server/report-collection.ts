/**
 * One round of asking all workers what they counted. A worker that does not answer in time, or dies while it is
 * asked, is left out: a monitoring page that hangs tells less than one with a gap.
 */
import type { MetricsReport } from './metrics.ts';

const waitMs = 2_000;

export class ReportCollection {
  readonly #rounds = new Map<number, { missing: Set<object>; reports: MetricsReport[]; finish(): void }>();
  #lastId = 0;

  /** `ask` sends the id to one worker, who is to answer with it. */
  collect<Worker extends object>(workers: Iterable<Worker>, ask: (worker: Worker, id: number) => void): Promise<MetricsReport[]> {
    const id = ++this.#lastId;
    const asked = [...workers];
    return new Promise((resolve) => {
      const reports: MetricsReport[] = [];
      const timer = setTimeout(() => finish(), waitMs);
      const finish = (): void => {
        clearTimeout(timer);
        this.#rounds.delete(id);
        resolve(reports);
      };
      this.#rounds.set(id, { missing: new Set(asked), reports, finish });
      for (const worker of asked) ask(worker, id);
      if (asked.length === 0) finish();
    });
  }

  answered(worker: object, id: number, report: MetricsReport): void {
    const round = this.#rounds.get(id);
    if (!round?.missing.delete(worker)) return;
    round.reports.push(report);
    if (round.missing.size === 0) round.finish();
  }

  gone(worker: object): void {
    for (const round of this.#rounds.values()) {
      if (round.missing.delete(worker) && round.missing.size === 0) round.finish();
    }
  }
}
