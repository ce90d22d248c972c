"""One package per way of writing rules down; each turns a dump's text into a `Ruleset`."""
