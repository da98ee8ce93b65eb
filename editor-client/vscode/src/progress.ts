/** Work of the server that can be cancelled, as a notification with its partial text. Other work stays with the library. */

import * as vscode from "vscode";
import type { ProgressToken, WorkDoneProgressBegin } from "vscode-languageserver-protocol";
import type { HandleWorkDoneProgressSignature } from "vscode-languageclient/node";

/** A notification shows two lines or so; the end of a growing text is what is new. */
const SHOWN_CHARS = 160;

interface Shown {
  readonly report: vscode.Progress<{ message?: string; increment?: number }>;
  readonly done: () => void;
  percent: number;
}

const open = new Map<ProgressToken, Shown | "starting">();
const ended = new Set<ProgressToken>();

type Value = Parameters<HandleWorkDoneProgressSignature>[1];

/** Show cancellable work as a notification; pass everything else on. */
export function handleProgress(
  token: ProgressToken,
  value: Value,
  next: HandleWorkDoneProgressSignature,
  cancel: (token: ProgressToken) => void,
): void {
  if (value.kind === "begin" && value.cancellable === true) {
    begin(token, value, cancel);
    return;
  }
  const shown = open.get(token);
  if (shown === undefined) {
    next(token, value);
  } else if (shown === "starting") {
    if (value.kind === "end") {
      ended.add(token);
    }
  } else if (value.kind === "end") {
    shown.done();
  } else if (value.kind === "report") {
    const percent = value.percentage ?? shown.percent;
    const message = value.message === undefined ? {} : { message: tail(value.message) };
    shown.report.report({ ...message, increment: percent - shown.percent });
    shown.percent = percent;
  }
}

function begin(token: ProgressToken, value: WorkDoneProgressBegin, cancel: (token: ProgressToken) => void): void {
  open.set(token, "starting");
  const options = { location: vscode.ProgressLocation.Notification, cancellable: true, title: value.title };
  void vscode.window.withProgress(options, (report, cancellation) => {
    cancellation.onCancellationRequested(() => {
      cancel(token);
    });
    if (value.message !== undefined) {
      report.report({ message: tail(value.message) });
    }
    return new Promise<void>((resolve) => {
      const done = (): void => {
        open.delete(token);
        resolve();
      };
      if (ended.delete(token)) {
        done();
      } else {
        open.set(token, { report, done, percent: 0 });
      }
    });
  });
}

function tail(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `…${text.slice(-SHOWN_CHARS)}`;
}
