/** fimble's code actions in a menu of their own. VS Code applies them: nothing is edited here. */

import * as vscode from "vscode";

/** Is `kind` one of ours, whatever family it belongs to (`refactor.rewrite.fimble.x`, `quickfix.fimble`)? */
function isOurs(action: vscode.CodeAction): boolean {
  return action.kind?.value.split(".").includes("fimble") === true;
}

/** Offer what can be done at the selection, and do it by VS Code's own way: preview, undo and progress as ever. */
export async function chooseAction(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return;
  }
  const found = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    "vscode.executeCodeActionProvider",
    editor.document.uri,
    editor.selection,
  );
  const actions = found.filter((entry): entry is vscode.CodeAction => "kind" in entry && isOurs(entry));
  if (actions.length === 0) {
    void vscode.window.showInformationMessage(
      "fimble: nothing to do here. Select code, or put the cursor on a comment",
    );
    return;
  }
  const chosen = await vscode.window.showQuickPick(
    actions.map((action) => ({ label: action.title, action })),
    { title: "fimble", placeHolder: "What to do with this code" },
  );
  if (chosen?.action.kind !== undefined) {
    await vscode.commands.executeCommand("editor.action.codeAction", {
      kind: chosen.action.kind.value,
      apply: "first",
    });
  }
}
