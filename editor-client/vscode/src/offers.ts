/** What the user is offered when something is missing: once per occasion, and never again on "Not now". */

import * as vscode from "vscode";

import { install, InstallError } from "./environment";
import { downloadModel } from "./models";
import { ownSetting } from "./options";
import type { Session } from "./session";
import type { Stage } from "./state";

const INSTALL = "Install fimble";
const SETTINGS = "Open settings";
const LOG = "Open log";
const START = "Start again";
const DOWNLOAD = "Download";

export class Offers {
  private readonly made = new Set<string>();

  constructor(
    private readonly session: () => Session,
    private readonly log: vscode.LogOutputChannel,
    private readonly managedFolder: string,
    private readonly version: string,
  ) {}

  /** Offer the way out of a stage, the first time it is reached. */
  async consider(stage: Stage): Promise<void> {
    if (stage.kind === "server" && stage.status?.state === "ready") {
      this.made.clear();
      return;
    }
    const occasion = stage.kind === "server" ? `server-${stage.status?.state ?? ""}` : stage.kind;
    if (this.made.has(occasion)) {
      return;
    }
    this.made.add(occasion);
    if (stage.kind === "notFound") {
      await this.offerInstall(stage.message);
    } else if (stage.kind === "crashed") {
      await this.offerStart(stage.message);
    } else if (stage.kind === "server" && stage.status?.state === "missing") {
      await this.offerDownload(stage.status.model ?? undefined);
    }
  }

  /** Make the managed environment and start the server from it. */
  async installNow(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showWarningMessage("fimble: trust this workspace first, then install");
      return;
    }
    // The exact version: server and extension are tested together.
    const requirement = ownSetting("package") || `fimble==${this.version}`;
    try {
      await install(this.managedFolder, requirement, this.log);
      await this.session().restart();
    } catch (error) {
      const said = error instanceof InstallError ? `${error.message}. ${error.hint}` : String(error);
      this.log.error(said);
      const answer = await vscode.window.showErrorMessage(`fimble: ${said}`, LOG, SETTINGS);
      this.follow(answer);
    }
  }

  async downloadNow(model: string): Promise<void> {
    const command = this.session().command;
    if (command !== undefined && (await downloadModel(command, model, this.log))) {
      await this.session().restart();
    }
  }

  private async offerInstall(message: string): Promise<void> {
    const explained = `${message}. It can be installed into an environment of its own (about 150 MB)`;
    const answer = await vscode.window.showWarningMessage(`fimble: ${explained}`, INSTALL, SETTINGS, "Not now");
    if (answer === INSTALL) {
      await this.installNow();
    } else {
      this.follow(answer);
    }
  }

  private async offerStart(message: string): Promise<void> {
    const answer = await vscode.window.showErrorMessage(`fimble: ${message}`, START, LOG);
    if (answer === START) {
      this.made.clear();
      await this.session().restart();
    } else {
      this.follow(answer);
    }
  }

  private async offerDownload(model: string | undefined): Promise<void> {
    if (model === undefined) {
      return;
    }
    const message = `fimble: the model ${model} is not on this machine yet`;
    if ((await vscode.window.showInformationMessage(message, DOWNLOAD, "Not now")) === DOWNLOAD) {
      await this.downloadNow(model);
    }
  }

  private follow(answer: string | undefined): void {
    if (answer === LOG) {
      this.log.show();
    } else if (answer === SETTINGS) {
      void vscode.commands.executeCommand("fimble.client.openSettings");
    }
  }
}
