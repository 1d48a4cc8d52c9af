"""The services of a process, each made once, in two halves: work and secrets."""
