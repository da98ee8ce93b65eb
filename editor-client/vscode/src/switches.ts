/** Turning fimble off for a language or a workspace: writes the user's settings, which the session then sends. */

import * as vscode from "vscode";

import { SECTION } from "./options";

export function activeLanguage(): string | undefined {
  return vscode.window.activeTextEditor?.document.languageId;
}

export function isLanguageOff(language: string | undefined): boolean {
  return language !== undefined && languagesOff().includes(language);
}

/** Say whether the workspace itself, not the user's settings, switches ghost text off. */
export function isOffHere(): boolean {
  return configuration().inspect<boolean>("enabled")?.workspaceValue === false;
}

export async function toggleLanguage(): Promise<void> {
  const language = activeLanguage();
  if (language === undefined) {
    return;
  }
  const off = languagesOff();
  const changed = off.includes(language) ? off.filter((other) => other !== language) : [...off, language];
  await configuration().update("languages_off", changed.length === 0 ? undefined : changed, true);
}

export async function toggleWorkspace(): Promise<void> {
  await configuration().update("enabled", isOffHere() ? undefined : false, false);
}

function languagesOff(): readonly string[] {
  return configuration().get<string[]>("languages_off", []);
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}
