"""Tables on disk that survive crashes and second processes.

`updates` decides what to fetch and what to keep, `store` reads and writes whole tables,
`manifest` is what is known about one.
"""
