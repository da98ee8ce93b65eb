/** When a server that ended may be started again. Pure: the clock is given. */

/** Three starts in a row, then the user decides (STYLE.md, TypeScript); waits grow so that a machine under load recovers. */
const DELAYS_MS = [250, 1_000, 4_000] as const;
/** A server that lived this long has earned a full set of attempts again. */
const HEALTHY_MS = 60_000;

export interface Attempt {
  readonly number: number;
  readonly delayMs: number;
}

/** Counts crashes; gives the next attempt or nothing when enough is enough. */
export class Backoff {
  private crashCount = 0;
  private startedAtMs = 0;

  started(nowMs: number): void {
    this.startedAtMs = nowMs;
  }

  next(nowMs: number): Attempt | undefined {
    if (nowMs - this.startedAtMs >= HEALTHY_MS) {
      this.crashCount = 0;
    }
    const delayMs = DELAYS_MS[this.crashCount];
    this.crashCount += 1;
    return delayMs === undefined ? undefined : { number: this.crashCount, delayMs };
  }

  reset(): void {
    this.crashCount = 0;
  }
}
