"""Typing replayed: real files typed with a human rhythm into several sides, and what each of them shows and spends.

Nothing of a side's inside enters the measures: they see text on a screen, a clock, and a process tree.
"""
