"""Where events come from besides cameras, volumes and drives: the station's own health, and messages from outside."""
