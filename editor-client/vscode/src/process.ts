/** Run a program to its end, never through a shell. No editor API may enter here. */

import { spawn } from "node:child_process";

export interface RunOptions {
  /** Called with each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** -1 if the program could not be started or was ended by a signal. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run `command` with the arguments; rejects never, a failure to start is an exit code with its message. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let rest = "";
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        texts[name] += chunk;
        const lines = (rest + chunk).split(/[\r\n]+/);
        rest = lines.pop() ?? "";
        lines.filter((line) => line.trim() !== "").forEach((line) => options.onLine?.(line));
      });
    }
    child.on("error", (error) => {
      resolve({ exitCode: -1, ...texts, stderr: `${texts.stderr}${error.message}\n` });
    });
    child.on("close", (exitCode) => {
      resolve({ exitCode: exitCode ?? -1, ...texts });
    });
  });
}
