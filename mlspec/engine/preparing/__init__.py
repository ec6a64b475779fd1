"""From typed rows to what training reads: shares, target, shards, the reference."""
