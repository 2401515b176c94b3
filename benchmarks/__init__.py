"""What `make bench` measures: speed, memory and quality beside the programs that people use today."""
