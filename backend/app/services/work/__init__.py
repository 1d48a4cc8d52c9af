"""The team's work: members, tasks and what belongs to them, and telling every desktop what changes."""
