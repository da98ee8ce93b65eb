/** The menu behind the status item: what can be done now. Does nothing itself. */

import * as vscode from "vscode";

import type { Stage } from "./state";

export interface MenuFacts {
  readonly stage: Stage;
  readonly isPaused: boolean;
  /** The language of the active editor, and whether it is switched off. */
  readonly language: string | undefined;
  readonly isLanguageOff: boolean;
  readonly isOffHere: boolean;
}

type Entry = vscode.QuickPickItem & { readonly command?: string };

export async function showMenu(facts: MenuFacts): Promise<void> {
  const chosen = await vscode.window.showQuickPick(menuEntries(facts), {
    title: "fimble",
    placeHolder: headline(facts),
  });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

export function menuEntries(facts: MenuFacts): Entry[] {
  const { stage } = facts;
  const entries: Entry[] = [];
  if (stage.kind === "notFound") {
    entries.push(entry("$(cloud-download) Install fimble…", "fimble.client.install"));
    entries.push(entry("$(gear) Say where fimble is…", "fimble.client.openSettings"));
  } else if (stage.kind === "stopped" || stage.kind === "crashed") {
    entries.push(entry("$(debug-start) Start", "fimble.client.restart"));
  } else {
    if (stage.kind === "server" && stage.status?.state === "missing") {
      entries.push(entry("$(cloud-download) Download the model…", "fimble.client.downloadModel"));
    }
    entries.push(
      facts.isPaused
        ? entry("$(debug-start) Resume", "fimble.client.resume")
        : entry("$(debug-pause) Pause for 10 minutes", "fimble.client.pause"),
    );
    if (facts.language !== undefined) {
      const verb = facts.isLanguageOff ? "$(check) Turn on" : "$(circle-slash) Turn off";
      entries.push(entry(`${verb} in ${facts.language}`, "fimble.client.toggleLanguage"));
    }
    const here = facts.isOffHere ? "$(check) Turn on in this workspace" : "$(circle-slash) Turn off in this workspace";
    entries.push(entry(here, "fimble.client.toggleWorkspace"));
    entries.push(separator());
    entries.push(entry("$(wand) Act on the code here…", "fimble.client.act"));
    entries.push(entry("$(question) Explain the last request", "fimble.client.explainLast"));
    entries.push(entry("$(package) Choose the model…", "fimble.client.selectModel"));
    entries.push(entry("$(refresh) Restart", "fimble.client.restart"));
  }
  entries.push(separator());
  entries.push(entry("$(output) Open the log", "fimble.client.openLog"));
  if (stage.kind !== "notFound") {
    entries.push(entry("$(pulse) Run the doctor", "fimble.client.doctor"));
  }
  entries.push(entry("$(gear) Settings", "fimble.client.openSettings"));
  return entries;
}

function headline({ stage }: MenuFacts): string {
  switch (stage.kind) {
    case "server":
      return [stage.status?.model, stage.status?.message].filter(Boolean).join(": ") || "Starting";
    case "notFound":
    case "crashed":
      return stage.message;
    default:
      return `fimble is ${stage.kind}`;
  }
}

function entry(label: string, command: string): Entry {
  return { label, command };
}

function separator(): Entry {
  return { label: "", kind: vscode.QuickPickItemKind.Separator };
}
