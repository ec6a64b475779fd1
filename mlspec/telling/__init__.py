"""What a run left, as one page for people: no server, no script, nothing fetched."""
