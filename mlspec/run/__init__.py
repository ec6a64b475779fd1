"""Plan to Report: status, walk, store; the only room that knows DVC."""
