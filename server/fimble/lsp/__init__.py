"""The only room that speaks the Language Server Protocol: unpack parameters, call a service, pack the answer."""
