/** The status bar item. Shows a stage; what a stage means is said in `state`. */

import * as vscode from "vscode";

import { appearance, type Stage } from "./state";

export class StatusItem implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;

  constructor(menuCommand: string) {
    this.item = vscode.window.createStatusBarItem("fimble.status", vscode.StatusBarAlignment.Right, 100);
    this.item.name = "fimble";
    this.item.command = menuCommand;
    this.item.show();
  }

  show(stage: Stage, pausedUntil: Date | undefined): void {
    const { text, tooltip, level } = appearance(stage, pausedUntil);
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `fimble: ${tooltip}` };
    this.item.backgroundColor =
      level === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${level}Background`);
  }

  dispose(): void {
    this.item.dispose();
  }
}
