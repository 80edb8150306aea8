"""Every setting: what may be set, reading it from a file, and what to say of a wrong one."""
