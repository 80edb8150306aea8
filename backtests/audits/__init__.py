"""Whether a config, its own functions and its whole run see the future."""
