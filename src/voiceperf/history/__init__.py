"""`.benchmarks/`: saved runs are read here and nowhere else; beside them lie the accepted ones' names and the noise."""
