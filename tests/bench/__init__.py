"""Benchmarks: each module's `main()` measures ours and a yardstick in the same run and prints a row per figure."""
