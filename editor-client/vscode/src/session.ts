/** The server's life: start, stop, restart after a crash, and its settings. What it answers is not looked at here. */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type LanguageClientOptions,
} from "vscode-languageclient/node";

import { Backoff } from "./backoff";
import { locate } from "./locate";
import { ownArguments, ownSetting, SECTION, type OptionReader, type Options } from "./options";
import { handleProgress } from "./progress";
import type { ServerStatus, Stage } from "./state";

/** Every kind of document that a person types into; a log or a Git revision is none. */
const SELECTOR = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs"].map((scheme) => ({ scheme }));

/** The stage shows what went wrong; the library's own pop-ups would say it twice. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** One server process at a time. `onStage` hears every change; nothing here blocks the caller. */
export class Session implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private readonly backoff = new Backoff();
  private restartTimer: NodeJS.Timeout | undefined;
  private overrides: Options = {};
  private current: Stage = { kind: "stopped" };
  private abandon: (() => void) | undefined;
  /** One start or stop after the other, whoever asks. */
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly managedFolder: string,
    private readonly options: OptionReader,
    private readonly onStage: (stage: Stage) => void,
  ) {}

  get stage(): Stage {
    return this.current;
  }

  /** Give the command that runs, or that would be run. */
  get command(): string | undefined {
    const found = locate(ownSetting("path"), this.managedFolder);
    return found.kind === "found" ? found.command : undefined;
  }

  start(): Promise<void> {
    return this.enqueue(() => this.launch());
  }

  stop(): Promise<void> {
    this.abandonStart();
    return this.enqueue(async () => {
      await this.end();
      this.setStage({ kind: "stopped" });
    });
  }

  /** Start anew with a clean record, as the user asked for it. */
  restart(): Promise<void> {
    this.backoff.reset();
    this.abandonStart();
    return this.enqueue(async () => {
      await this.end();
      await this.launch();
    });
  }

  /** Lay options over the user's settings for as long as this lasts. */
  async override(overrides: Options): Promise<void> {
    this.overrides = overrides;
    await this.sendOptions();
  }

  /** Tell the server the settings as they are now. */
  async sendOptions(): Promise<void> {
    if (this.options.hasTakenBack()) {
      await this.restart();
    } else if (this.client?.isRunning() === true) {
      await this.client.sendNotification("workspace/didChangeConfiguration", {
        settings: { [SECTION]: this.options.read(this.overrides) },
      });
    }
  }

  /** Run one of the server's commands. Errors: rejects if no server runs or the command fails. */
  async execute<T>(command: string, ...args: readonly unknown[]): Promise<T> {
    if (this.client?.isRunning() !== true) {
      throw new Error("fimble is not running");
    }
    return this.client.sendRequest<T>("workspace/executeCommand", { command, arguments: args });
  }

  dispose(): void {
    clearTimeout(this.restartTimer);
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work).catch((error: unknown) => {
      this.log.error(error instanceof Error ? error : String(error));
    });
    return this.queue;
  }

  /** Let go of a server that has not answered yet: it may never do, and what comes next would wait for it. */
  private abandonStart(): void {
    const { client } = this;
    if (client?.state === State.Starting) {
      this.client = undefined;
      client.serverProcess?.kill("SIGKILL");
      this.abandon?.();
    }
  }

  private async launch(): Promise<void> {
    if (this.client !== undefined) {
      return;
    }
    clearTimeout(this.restartTimer);
    const found = locate(ownSetting("path"), this.managedFolder);
    if (found.kind === "missing") {
      this.log.warn(found.message);
      this.setStage({ kind: "notFound", message: found.message });
      return;
    }
    const args = ["serve", ...ownArguments()];
    this.log.info(`starting ${found.command} ${args.join(" ")} (from ${found.source})`);
    this.setStage({ kind: "starting" });
    const run = { command: found.command, args };
    const client: LanguageClient = new QuietClient(
      SECTION,
      "fimble",
      { run, debug: run },
      this.clientOptions(() => client),
    );
    this.client = client;
    client.onNotification("fimble/statusChanged", (status: ServerStatus) => {
      this.setStage({ kind: "server", status });
    });
    this.backoff.started(Date.now());
    const abandoned = new Promise<never>((_, reject) => {
      this.abandon = (): void => {
        reject(new Error("it was stopped before it answered"));
      };
    });
    try {
      await Promise.race([client.start(), abandoned]);
    } catch (error) {
      this.log.error(`the server did not start: ${error instanceof Error ? error.message : String(error)}`);
      await this.recover(client);
      return;
    }
    if (Object.keys(this.overrides).length > 0) {
      await this.sendOptions();
    }
    const status = await client.sendRequest<ServerStatus>("fimble/status", {});
    this.setStage({ kind: "server", status });
  }

  private async end(): Promise<void> {
    clearTimeout(this.restartTimer);
    const client = this.client;
    this.client = undefined;
    if (client?.isRunning() === true) {
      await client.stop();
    }
    await client?.dispose();
  }

  /** Start again later, or say that this does not help. */
  private async recover(client: LanguageClient): Promise<void> {
    if (this.client !== client) {
      return;
    }
    this.client = undefined;
    await client.dispose().catch((error: unknown) => {
      // It is gone: that is why we are here.
      this.log.debug(String(error));
    });
    const attempt = this.backoff.next(Date.now());
    if (attempt === undefined) {
      this.setStage({ kind: "crashed", message: "fimble ended again and again and is not started any more" });
      return;
    }
    this.setStage({ kind: "restarting", attempt: attempt.number, delayMs: attempt.delayMs });
    this.restartTimer = setTimeout(() => void this.start(), attempt.delayMs);
  }

  private setStage(stage: Stage): void {
    this.current = stage;
    this.onStage(stage);
  }

  private clientOptions(owner: () => LanguageClient): LanguageClientOptions {
    return {
      documentSelector: SELECTOR,
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: () => this.options.readInitial(),
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          // After the library has cleaned up, which it does when this returns.
          setTimeout(() => void this.recover(owner()));
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      middleware: {
        handleWorkDoneProgress: (token, params, next) => {
          handleProgress(token, params, next, (cancelled) => {
            void this.client?.sendNotification("window/workDoneProgress/cancel", { token: cancelled });
          });
        },
        workspace: {
          configuration: (params, token, next) => {
            const items = params.items.map((item) => item.section);
            return items.every((section) => section === SECTION)
              ? items.map(() => this.options.read(this.overrides))
              : next(params, token);
          },
          // `sendOptions` tells the server; the library would send every default.
          didChangeConfiguration: () => Promise.resolve(),
        },
      },
    };
  }
}
