"""One process for every editor: shim, broker, sessions, lifecycle. Nothing is imported here: a shim must stay thin."""
