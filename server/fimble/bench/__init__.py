"""How fast and how large fimble is on this machine. Reports figures; nothing on the serving path imports this."""
