/** The extension's composition root: what there is and which command does what. No logic of its own. */

import * as path from "node:path";
import * as vscode from "vscode";

import { chooseAction } from "./actions";
import { explainLast } from "./explain";
import { showMenu } from "./menu";
import { selectModel } from "./models";
import { Offers } from "./offers";
import { OptionReader, SECTION } from "./options";
import { Pages } from "./page";
import { Pause } from "./pause";
import { run } from "./process";
import { Session } from "./session";
import { StatusItem } from "./statusItem";
import { activeLanguage, isLanguageOff, isOffHere, toggleLanguage, toggleWorkspace } from "./switches";

interface PackageJson {
  readonly version: string;
  readonly contributes: { readonly configuration: { readonly properties: Record<string, unknown> } };
}

let session: Session | undefined;

/** Set everything up and begin to start the server; returns before it has started. */
export function activate(context: vscode.ExtensionContext): void {
  const manifest = context.extension.packageJSON as PackageJson;
  const managedFolder = path.join(context.globalStorageUri.fsPath, "environment");
  const log = vscode.window.createOutputChannel("fimble", { log: true });
  const statusItem = new StatusItem("fimble.client.menu");
  const pages = new Pages();
  const pause = new Pause((until) => {
    statusItem.show(running.stage, until);
    void running.override(until === undefined ? {} : { enabled: false });
  });
  const offers = new Offers(() => running, log, managedFolder, manifest.version);
  const running = new Session(log, managedFolder, new OptionReader(manifest), (stage) => {
    statusItem.show(stage, pause.until);
    void offers.consider(stage);
  });
  session = running;

  const commands: Record<string, () => unknown> = {
    menu: () =>
      showMenu({
        stage: running.stage,
        isPaused: pause.until !== undefined,
        language: activeLanguage(),
        isLanguageOff: isLanguageOff(activeLanguage()),
        isOffHere: isOffHere(),
      }),
    act: chooseAction,
    pause: () => {
      pause.begin();
    },
    resume: () => {
      pause.resume();
    },
    toggleLanguage,
    toggleWorkspace,
    explainLast: () => explainLast(running, pages),
    openLog: () => {
      log.show();
    },
    openSettings: () => vscode.commands.executeCommand("workbench.action.openSettings", "@ext:fimble.fimble"),
    restart: () => running.restart(),
    stop: () => running.stop(),
    install: () => offers.installNow(),
    selectModel: () => withCommand(running, (command) => selectModel(command, log)),
    downloadModel: () => downloadCurrent(running, offers),
    doctor: () => withCommand(running, (command) => showDoctor(command, pages)),
  };
  for (const [name, handler] of Object.entries(commands)) {
    const shown = async (): Promise<void> => {
      try {
        await handler();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.error(message);
        void vscode.window.showErrorMessage(`fimble: ${message}`);
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(`fimble.client.${name}`, shown));
  }

  context.subscriptions.push(
    log,
    statusItem,
    pages,
    pause,
    running,
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.path`) || event.affectsConfiguration(`${SECTION}.arguments`)) {
        void running.restart();
      } else if (event.affectsConfiguration(SECTION)) {
        void running.sendOptions();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void running.restart()),
  );
  void running.start();
}

export function deactivate(): Promise<void> | undefined {
  return session?.stop();
}

async function withCommand(running: Session, use: (command: string) => Promise<void>): Promise<void> {
  const command = running.command;
  if (command === undefined) {
    throw new Error("The `fimble` command was not found");
  }
  await use(command);
}

async function downloadCurrent(running: Session, offers: Offers): Promise<void> {
  const { stage } = running;
  const model = stage.kind === "server" ? stage.status?.model : undefined;
  if (typeof model === "string") {
    await offers.downloadNow(model);
  }
}

async function showDoctor(command: string, pages: Pages): Promise<void> {
  const { stdout, stderr } = await run(command, ["doctor"]);
  await pages.showText("Doctor", stdout + stderr);
}
