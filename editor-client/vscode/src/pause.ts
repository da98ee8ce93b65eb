/** A pause with an end. Sends nothing itself: it says when the server should be on or off. */

import type * as vscode from "vscode";

export const PAUSE_MS = 10 * 60_000;

export class Pause implements vscode.Disposable {
  private timer: NodeJS.Timeout | undefined;
  private end: Date | undefined;

  constructor(private readonly onChange: (until: Date | undefined) => void) {}

  get until(): Date | undefined {
    return this.end;
  }

  begin(): void {
    clearTimeout(this.timer);
    this.end = new Date(Date.now() + PAUSE_MS);
    this.timer = setTimeout(() => {
      this.resume();
    }, PAUSE_MS);
    this.onChange(this.end);
  }

  resume(): void {
    clearTimeout(this.timer);
    this.end = undefined;
    this.onChange(undefined);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
