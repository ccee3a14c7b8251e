#pragma once
#include <vector>

/// All primes below a limit.
std::vector<unsigned> primes(unsigned below);
