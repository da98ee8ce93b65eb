/** Choosing and downloading a model, through the `fimble models` command: the list of models is the server's. */

import * as vscode from "vscode";

import { SECTION } from "./options";
import { run } from "./process";

interface Model {
  readonly id: string;
  readonly state: string;
  readonly title: string;
  readonly licence: string;
  readonly download_bytes: number;
}

const PULL = "Download";

/** Download a model with progress and cancel; gives whether it is there now. */
export async function downloadModel(command: string, model: string, log: vscode.LogOutputChannel): Promise<boolean> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `fimble: downloading ${model}`,
    cancellable: true,
  };
  const result = await vscode.window.withProgress(options, (progress, cancellation) => {
    const abort = new AbortController();
    cancellation.onCancellationRequested(() => {
      abort.abort();
    });
    const onLine = (line: string): void => {
      log.info(line);
      progress.report({ message: line.trim() });
    };
    return run(command, ["models", "pull", model], { onLine, signal: abort.signal });
  });
  if (result.exitCode === 0) {
    return true;
  }
  const message = /^error: (.*)$/m.exec(result.stderr)?.[1] ?? `\`fimble models pull ${model}\` failed`;
  const hint = /^hint: (.*)$/m.exec(result.stderr)?.[1];
  log.error(result.stderr.trim());
  void vscode.window.showErrorMessage(`fimble: ${message}${hint === undefined ? "" : `. ${hint}`}`);
  return false;
}

/** Ask for a model and set it; one that is not here yet is downloaded first, if the user says so. */
export async function selectModel(command: string, log: vscode.LogOutputChannel): Promise<void> {
  const models = await listModels(command);
  const chosen = await vscode.window.showQuickPick(
    models.map((model) => ({
      label: model.id,
      description: model.state === "installed" ? "installed" : `${megabytes(model.download_bytes)} to download`,
      detail: [model.title, model.licence].filter(Boolean).join(", "),
      model,
    })),
    { title: "fimble: model", placeHolder: "What completes your code" },
  );
  if (chosen === undefined) {
    return;
  }
  const { id, state } = chosen.model;
  if (state !== "installed") {
    const answer = await vscode.window.showInformationMessage(
      `fimble: ${id} is not here yet (${megabytes(chosen.model.download_bytes)})`,
      PULL,
    );
    if (answer !== PULL || !(await downloadModel(command, id, log))) {
      return;
    }
  }
  await vscode.workspace.getConfiguration(SECTION).update("model", id, vscode.ConfigurationTarget.Global);
}

async function listModels(command: string): Promise<readonly Model[]> {
  const { exitCode, stdout, stderr } = await run(command, ["models", "list", "--json"]);
  if (exitCode !== 0) {
    throw new Error(stderr.trim() || "`fimble models list` failed");
  }
  return JSON.parse(stdout) as Model[];
}

function megabytes(count: number): string {
  return `${Math.round(count / 1e6)} MB`;
}
