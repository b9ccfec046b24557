"""Material that may be illegal: reports, quarantine, known hashes, safety officers."""
