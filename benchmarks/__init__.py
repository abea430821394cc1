"""What `make bench` measures. One file for each thing; `python -m benchmarks NAME…` runs some of them."""
