/** The last request, explained on a rendered page. The server says what happened; here it becomes Markdown. */

import * as vscode from "vscode";

import type { Pages } from "./page";
import type { Session } from "./session";

interface Explanation {
  readonly trace: { readonly parts_ms?: Record<string, number> } & Record<string, unknown>;
  readonly text: string;
}

/** Show what became of the last request in this document, or in any. */
export async function explainLast(session: Session, pages: Pages): Promise<void> {
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  const found = await session.execute<Partial<Explanation> | null>(
    "fimble.explain",
    ...(uri === undefined ? [] : [uri]),
  );
  await pages.showMarkdown("Last request", explanationMarkdown(found ?? {}));
}

export function explanationMarkdown(found: { readonly text?: string; readonly trace?: unknown }): string {
  const text = found.text ?? "No completion was asked for yet.";
  const sections = ["# The last request", "```text", text, "```"];
  if (isRecord(found.trace)) {
    const parts = isRecord(found.trace.parts_ms) ? Object.entries(found.trace.parts_ms) : [];
    if (parts.length > 0) {
      sections.push("", "| part | ms |", "|---|---:|");
      sections.push(...parts.map(([name, durationMs]) => `| ${name} | ${Number(durationMs).toFixed(1)} |`));
    }
    const facts = Object.entries(found.trace).filter(([name, value]) => name !== "parts_ms" && isShown(value));
    sections.push(
      "",
      "| | |",
      "|---|---|",
      ...facts.map(([name, value]) => `| ${name} | \`${JSON.stringify(value)}\` |`),
    );
  }
  return sections.join("\n");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isShown(value: unknown): boolean {
  return value !== "" && value !== 0 && !(Array.isArray(value) && value.length === 0);
}
