"""Fill-in-the-middle prompts within a token budget. Knows layouts and tokens, not where text comes from."""
