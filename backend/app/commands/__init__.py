"""Groups of the command line that are too long for `app.cli`; each imports its services when it is used."""
