"""What of the user's text may enter a prompt. No tokens, no protocol, no disk on the typing path."""
