"""Long runs of a program: their output on disk, their deadline, their end, kept over a restart of ours."""
