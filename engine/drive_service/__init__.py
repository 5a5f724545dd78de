"""The privileged half: a small root process that alone touches drives, so that the engine need not be root."""
