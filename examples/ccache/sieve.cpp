#include "sieve.h"

std::vector<unsigned> primes(unsigned below) {
    std::vector<bool> crossed(below, false);
    std::vector<unsigned> found;
    for (unsigned n = 2; n < below; ++n) {
        if (crossed[n]) continue;
        found.push_back(n);
        for (unsigned long long m = 1ULL * n * n; m < below; m += n) crossed[m] = true;
    }
    return found;
}
