"""Documents as the editor has them: snapshots, edits, positions. No protocol types."""
