"""Tables, each in a module of its own, so that the work half loads none of the vault's; `tables` has them all."""
