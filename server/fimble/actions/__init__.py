"""Code actions: what is offered where, how it is asked, and what of the answer may be applied.

No protocol and no model library here; nothing unverified leaves this room as an edit."""
