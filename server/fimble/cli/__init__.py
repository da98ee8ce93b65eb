"""The command line: one file per command; parses arguments, calls other rooms, prints. No logic of its own."""
