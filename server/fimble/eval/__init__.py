"""How good the answers are, measured through the services. Nothing on the serving path imports this."""
