/** The managed environment: a virtual environment in the extension's storage, made only when the user agrees. */

import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

import { managedCommand } from "./locate";
import { run } from "./process";

/** What the server needs; see `requires-python` in pyproject.toml. */
const PYTHON_MINIMUM = [3, 11] as const;
const VERSION_PROGRAM = "import sys; print(*sys.version_info[:2])";

export class InstallError extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/**
 * Make the environment in `folder` anew and install `requirement` there, with progress; gives the command.
 *
 * An environment that did not come to work is removed again, so that a half-made one is never found.
 * Errors: InstallError without a Python, without a network, or if pip fails.
 */
export async function install(folder: string, requirement: string, log: vscode.LogOutputChannel): Promise<string> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: "fimble", cancellable: true },
    async (progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => {
        abort.abort();
      });
      const step = async (message: string, command: string, args: readonly string[]): Promise<void> => {
        progress.report({ message });
        log.info(`${command} ${args.join(" ")}`);
        const onLine = (line: string): void => {
          log.info(line);
        };
        const result = await run(command, args, { onLine, signal: abort.signal });
        if (abort.signal.aborted) {
          throw new InstallError("The installation was cancelled", "Start it again from the fimble menu");
        }
        if (result.exitCode !== 0) {
          throw explain(result.stderr, requirement);
        }
      };
      const python = await findPython();
      await fs.rm(folder, { recursive: true, force: true });
      await fs.mkdir(path.dirname(folder), { recursive: true });
      try {
        await step("Making a virtual environment…", python, ["-m", "venv", folder]);
        const inside = path.join(path.dirname(managedCommand(folder)), "python");
        const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", requirement];
        await step(`Installing ${requirement} (about 150 MB)…`, inside, pip);
        const command = managedCommand(folder);
        await step("Checking…", command, ["--version"]);
        return command;
      } catch (error) {
        await fs.rm(folder, { recursive: true, force: true });
        throw error;
      }
    },
  );
}

async function findPython(): Promise<string> {
  const names = process.platform === "win32" ? ["python", "python3", "py"] : ["python3", "python"];
  for (const name of [...names, "python3.13", "python3.12", "python3.11"]) {
    const { exitCode, stdout } = await run(name, ["-c", VERSION_PROGRAM]);
    const [major = 0, minor = 0] = stdout.trim().split(" ").map(Number);
    if (exitCode === 0 && major === PYTHON_MINIMUM[0] && minor >= PYTHON_MINIMUM[1]) {
      return name;
    }
  }
  throw new InstallError(
    `No Python ${PYTHON_MINIMUM.join(".")} or later was found`,
    "Install Python, or set `fimble.path` to a `fimble` you have",
  );
}

/** Say in a line what pip or venv says in fifty. */
function explain(stderr: string, requirement: string): InstallError {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "no message";
  if (/NewConnectionError|Name or service not known|Temporary failure|getaddrinfo|timed out/i.test(stderr)) {
    return new InstallError(
      "The package index cannot be reached",
      "Go online and try again, or install fimble by hand and set `fimble.path`",
    );
  }
  if (stderr.includes("ensurepip is not available")) {
    return new InstallError("This Python makes no virtual environments", "Install the package `python3-venv`");
  }
  return new InstallError(`Installing ${requirement} failed: ${last.trim()}`, "See the log for all that pip said");
}
